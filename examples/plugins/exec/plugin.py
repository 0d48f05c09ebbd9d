#!/usr/bin/env python3
"""A plugin that is started for each question: JSON on standard input, JSON on standard output."""

import json
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "directory"))
sys.dont_write_bytecode = True

import directory  # noqa: E402


def answer(question):
    if "describe" in question:
        return {"renew": True}
    if "verify" in question:
        return directory.verify(question["verify"])
    if "renew" in question:
        return directory.renew(question["renew"])
    if "credential" in question:
        return directory.credential(question["credential"])
    return {"error": {"message": "an unknown question"}}


json.dump(answer(json.load(sys.stdin)), sys.stdout)
