"""The verifier: what documents, envelopes, cessions, answers, books, stamps and CAF files of others are worth.

`verify` takes the bytes of a file and says its facts separately (`Verdict`); `Trust` holds whom it believes. It is
pure: no file, no network, no clock. It is made for hostile files: bounded in time and memory, signed elements taken by
position, nothing believed that a signature does not cover. Sources: SII, Instructivo técnico de emisión, Formato DTE
2.5, the SII's schemas; W3C XML Signature and Canonical XML 1.0.
"""

from domain.verification.files import verify as verify
from domain.verification.trust import Trust as Trust
from domain.verification.trust import TrustError as TrustError
from domain.verification.verdict import Verdict as Verdict
