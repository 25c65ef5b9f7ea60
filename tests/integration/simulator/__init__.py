"""The simulated SII as a process, addressed over HTTP with documents that independent code of these tests signs."""
