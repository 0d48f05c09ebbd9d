"""What the Python examples ask: the same as directory.mjs. The answers are those of the contract in docs/plugins.md."""

import hashlib
import hmac
import json
import os

FOLDER = os.path.dirname(os.path.abspath(__file__))


def _read(name):
    with open(os.path.join(FOLDER, name), encoding="utf-8") as file:
        return json.load(file)


def _identity(name, user):
    # The anchor changes with the password: whoever renews with another one has to log in again.
    anchor = hashlib.sha256(user["scrypt"].encode()).hexdigest()
    return {"name": name, "groups": user["groups"], "claims": {"source": "example"}, "anchor": anchor}


def verify(question):
    user = _read("users.json").get(question["username"])
    # An unknown user costs the same time.
    salt, expected = (user["salt"], user["scrypt"]) if user else ("00", "00" * 32)
    actual = hashlib.scrypt(question["password"].encode(), salt=bytes.fromhex(salt), n=16384, r=8, p=1, dklen=32)
    if not hmac.compare_digest(actual.hex(), expected) or user is None:
        return {"refused": {"reason": "wrong password" if user else "no such user"}}
    return {"identity": _identity(question["username"], user)}


def renew(question):
    name = question["identity"]["name"]
    user = _read("users.json").get(name)
    if user is None:
        return {"refused": {"reason": "no such user any more"}}
    renewed = _identity(name, user)
    if renewed["anchor"] != question["identity"].get("anchor"):
        return {"refused": {"reason": "the password has changed"}}
    return {"identity": renewed}


def credential(question):
    found = _read("credentials.json").get(question["registry"])
    return {"credential": found} if found else {"none": {}}
