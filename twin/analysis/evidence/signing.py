"""Ed25519 signatures of evidence, and the keys that make them."""

from __future__ import annotations

import base64
import hashlib
import json
import os
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)

from twin.errors import TwinError

ALGORITHM = "Ed25519"


def key_folder() -> Path:
    """Return the user's configuration folder."""
    base = os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config"
    return Path(base) / "twin"


def make_key(owner: str, folder: Path | None = None) -> tuple[Path, Path]:
    """Make a key pair; return the private file, which its owner alone may read, and the public one, which says whose.

    Raises:
        TwinError: there is a key already, or it can't be written.
    """
    folder = folder or key_folder()
    private, public = folder / "evidence.key", folder / "evidence.pub"
    if private.exists():
        raise TwinError(f"{private}: there is a key already; move it away first, and keep its public part")
    if "\n" in owner or not owner.strip():
        raise TwinError(f"found {owner!r}; allowed: a name in one line, such as 'Ada Lovelace, Example Ltd'")
    key = Ed25519PrivateKey.generate()
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle = os.open(private, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "wb") as file:
            file.write(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        pem = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
        public.write_text(f"# {owner.strip()}\n{pem}", encoding="utf-8")
    except OSError as error:
        raise TwinError(f"{error.filename}: can't be written: {error.strerror}") from error
    return private, public


def sign(document: dict[str, Any], folder: Path | None = None) -> dict[str, Any]:
    """Return the document with a signature over all else that it says.

    Raises:
        TwinError: there is no key, or others may read it.
    """
    folder = folder or key_folder()
    path = folder / "evidence.key"
    if not path.exists():
        raise TwinError(f"{path}: no key to sign with; make one by: twin evidence keygen, or leave it by --unsigned")
    if path.stat().st_mode & 0o077:
        raise TwinError(f"{path}: others may read this key; allow its owner alone: chmod 600")
    key = _loaded(path, load_pem_private_key, Ed25519PrivateKey, None)
    owner, _ = read_public(folder / "evidence.pub")
    raw = key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    signed = document | {"signed_by": {"name": owner, "key": fingerprint(raw)}}
    value = base64.b64encode(key.sign(canonical(signed))).decode()
    public = base64.b64encode(raw).decode()
    return signed | {"signature": {"algorithm": ALGORITHM, "public_key": public, "value": value}}


def read_public(path: Path) -> tuple[str, Ed25519PublicKey]:
    """Return whose a public key is, and the key.

    Raises:
        TwinError: it isn't one.
    """
    key = _loaded(path, load_pem_public_key, Ed25519PublicKey)
    first = path.read_text(encoding="utf-8").partition("\n")[0]
    return (first.removeprefix("#").strip() if first.startswith("#") else path.stem), key


def is_signed_by(document: dict[str, Any], key: Ed25519PublicKey) -> bool:
    """Tell whether the document is as the owner of this key signed it."""
    signature = document.get("signature")
    if not isinstance(signature, dict) or signature.get("algorithm") != ALGORITHM:
        return False
    rest = {name: value for name, value in document.items() if name != "signature"}
    try:
        key.verify(base64.b64decode(str(signature.get("value")), validate=True), canonical(rest))
    except (InvalidSignature, ValueError):
        return False
    return True


def canonical(document: dict[str, Any]) -> bytes:
    """Return the bytes that are signed: JSON with sorted keys and no spaces."""
    return json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode()


def fingerprint(raw: bytes) -> str:
    """Return a short name of a public key (32 bytes)."""
    return hashlib.sha256(raw).hexdigest()[:16]


def _loaded(path: Path, load: Any, kind: Any, *more: Any) -> Any:
    try:
        key = load(path.read_bytes(), *more)
    except OSError as error:
        raise TwinError(f"{path}: can't be read: {error.strerror}") from error
    except (ValueError, TypeError) as error:
        raise TwinError(f"{path}: expected an Ed25519 key in PEM, found something else") from error
    if not isinstance(key, kind):
        raise TwinError(f"{path}: expected an Ed25519 key, found another kind")
    return key
