"""What goes wrong with a source of mails."""

from typing import Final


class MailSourceError(Exception):
    """A source can't be read; its sentence says why, without any secret. The look is repeated later."""

    code: Final = "MAIL-SOURCE"
    retry_helps: Final = True
