"""Where the SII's result mails come from: mailboxes, folders, a person's hand. Nothing there is ever changed."""
