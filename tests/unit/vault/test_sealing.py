"""Sealing: what opens, and everything that must not."""

import base64
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workers.settings import Settings
from workers.vault.sealing import (
    Sealed,
    Vault,
    VaultError,
    VaultFileOpenError,
    VaultKeysMissingError,
    VaultKeysUnreadableError,
    VaultKeyUnknownError,
    VaultTamperedError,
    new_key,
)

OLD, NEW = bytes(range(32)), bytes(range(32, 64))


def text_of(key: bytes) -> str:
    return base64.b64encode(key).decode()


def settings(tmp_path: Path, **more: object) -> Settings:
    return Settings.model_validate(
        {
            "database_url": "postgresql://x",
            "redis_url": "redis://x",
            "evidence_dir": tmp_path,
            "vault_keys": None,
            "vault_key_file": None,
            **more,
        }
    )


@given(plain=st.binary(max_size=200), purpose=st.text(max_size=40))
def test_sealed_for_a_purpose_opens_for_it(plain: bytes, purpose: str) -> None:
    vault = Vault({"k1": OLD})
    sealed = vault.seal(plain, purpose=purpose)
    assert vault.open(sealed, purpose=purpose) == plain


def test_same_secret_is_sealed_differently_each_time() -> None:
    vault = Vault({"k1": OLD})
    assert vault.seal(b"x", purpose="p").data != vault.seal(b"x", purpose="p").data


def test_another_purpose_does_not_open() -> None:
    vault = Vault({"k1": OLD})
    with pytest.raises(VaultTamperedError):
        vault.open(vault.seal(b"secret", purpose="token:1"), purpose="token:2")


def test_any_changed_byte_does_not_open() -> None:
    vault = Vault({"k1": OLD})
    sealed = vault.seal(b"secret", purpose="p")
    for place in range(len(sealed.data)):
        changed = bytearray(sealed.data)
        changed[place] ^= 1
        with pytest.raises(VaultTamperedError):
            vault.open(Sealed("k1", bytes(changed)), purpose="p")


@pytest.mark.parametrize("length", [0, 1, 12, 28])
def test_cut_bytes_do_not_open(length: int) -> None:
    vault = Vault({"k1": OLD})
    with pytest.raises(VaultTamperedError):
        vault.open(Sealed("k1", vault.seal(b"secret", purpose="p").data[:length]), purpose="p")


def test_newest_key_seals_and_old_ones_open() -> None:
    old = Vault({"k1": OLD}).seal(b"secret", purpose="p")
    both = Vault({"k1": OLD, "k2": NEW})
    assert both.open(old, purpose="p") == b"secret"
    assert both.seal(b"x", purpose="p").key_id == both.newest_key_id == "k2"


def test_key_of_another_id_does_not_open() -> None:
    sealed = Vault({"k1": OLD}).seal(b"secret", purpose="p")
    with pytest.raises(VaultKeyUnknownError, match="'k1'"):
        Vault({"k2": OLD}).open(sealed, purpose="p")
    with pytest.raises(VaultTamperedError):
        Vault({"k2": OLD}).open(Sealed("k2", sealed.data), purpose="p")


def test_reopening_what_does_not_open_is_none() -> None:
    vault = Vault({"k1": OLD})
    sealed = vault.seal(b"x", purpose="p")
    assert vault.reopen(sealed.key_id, sealed.data, purpose="p") == b"x"
    assert vault.reopen("k9", sealed.data, purpose="p") is None
    assert vault.reopen("k1", b"", purpose="p") is None


def test_variable_gives_the_keys_in_their_order(tmp_path: Path) -> None:
    keys = f" k1:{text_of(OLD)} , k2:{text_of(NEW)} "
    assert Vault.from_settings(settings(tmp_path, vault_keys=keys)).newest_key_id == "k2"


def test_file_gives_the_keys_and_may_have_comments(tmp_path: Path) -> None:
    file = tmp_path / "keys"
    file.write_text(f"# 2026\nk1:{text_of(OLD)}\n\n{new_key('k2')}\n")
    file.chmod(0o600)
    assert Vault.from_settings(settings(tmp_path, vault_key_file=file)).newest_key_id == "k2"


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o644, 0o660, 0o610])
def test_file_that_others_can_touch_is_refused(tmp_path: Path, mode: int) -> None:
    file = tmp_path / "keys"
    file.write_text(new_key("k1"))
    file.chmod(mode)
    with pytest.raises(VaultFileOpenError, match="chmod 0600"):
        Vault.from_settings(settings(tmp_path, vault_key_file=file))


def test_no_keys_at_all_is_said(tmp_path: Path) -> None:
    with pytest.raises(VaultKeysMissingError, match="FMGO_VAULT_KEYS"):
        Vault.from_settings(settings(tmp_path))
    with pytest.raises(VaultKeysMissingError):
        Vault.from_settings(settings(tmp_path, vault_key_file=tmp_path / "absent"))


@pytest.mark.parametrize(
    "keys",
    [
        "k1",
        "k1:",
        "k1:%%%",
        f":{text_of(OLD)}",
        f"k 1:{text_of(OLD)}",
        f"k1:{text_of(OLD[:31])}",
        f"k1:{text_of(OLD)},k1:{text_of(NEW)}",
        f"k1:{text_of(OLD)}x",
    ],
)
def test_unreadable_keys_are_refused_without_showing_them(tmp_path: Path, keys: str) -> None:
    with pytest.raises(VaultKeysUnreadableError) as caught:
        Vault.from_settings(settings(tmp_path, vault_keys=keys))
    assert text_of(OLD)[:20] not in str(caught.value)


def test_file_of_other_bytes_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "keys"
    file.write_bytes(b"\xff\xfe")
    file.chmod(0o600)
    with pytest.raises(VaultKeysUnreadableError):
        Vault.from_settings(settings(tmp_path, vault_key_file=file))


def test_keys_of_a_wrong_size_are_refused() -> None:
    for keys in ({"k1": b"short"}, {"": OLD}):
        with pytest.raises(VaultKeysUnreadableError):
            Vault(keys)
    with pytest.raises(VaultKeysUnreadableError):
        new_key("no good")


def test_nothing_secret_shows() -> None:
    vault = Vault({"k1": OLD})
    sealed = vault.seal(b"secret", purpose="p")
    assert repr(vault) == "Vault(keys=['k1'])"
    assert repr(sealed) == "Sealed(key_id='k1')"


def test_errors_say_code_and_that_a_retry_does_not_help() -> None:
    errors = VaultError.__subclasses__()
    assert len({error.code for error in errors}) == len(errors) == 5
    assert not any(error.retry_helps for error in errors)
