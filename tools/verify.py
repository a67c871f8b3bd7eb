#!/usr/bin/env python3
"""A second verifier of Stella proofs, written from FORMATS.md and the specifications it names.

It shares no code with the first one (`stella`, in Rust), so that a mistake in either, or a gap in
FORMATS.md, shows as a disagreement over a vector. It needs Python 3.11 and the `cryptography`
package. The sections below follow those of FORMATS.md.

    verify.py check KIND [--jsonl FILE|-]     cases in, results out: the contract of `stella check`
    verify.py bundle FILE --public-key PEM... [--log-key VKEY]...
    verify.py export FILE --log-key VKEY...   an audit export, in memory that does not grow with it
    verify.py vectors DIR                     every vector under DIR whose kind is known

Exit codes: 0 all verified, 3 something did not, 2 usage or a malformed case, 1 a vector disagrees.
Nothing here opens a socket or reads a clock, and every refusal is a sentence.
"""

from __future__ import annotations

import argparse
import base64
import binascii
import hashlib
import heapq
import io
import json
import math
import re
import struct
import sys
import unicodedata
import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any, BinaryIO

try:
    from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
except ImportError:
    print("verify.py needs the Python package `cryptography`: pip install cryptography",
          file=sys.stderr)
    sys.exit(2)


class Refused(Exception):
    """What was given does not verify; the text says why."""


class Malformed(Exception):
    """A line that is no case of its kind, so that nothing was verified at all."""


# ---- 0. Bytes and numbers as text ------------------------------------------------------------

U64_MAX = 2**64 - 1
SAFE_INTEGER = 2**53 - 1


def decode_base64(text: str, what: str) -> bytes:
    """Padded base64 (RFC 4648 section 4), in the one spelling that its bytes have."""
    try:
        data = base64.b64decode(text.encode("ascii"), validate=True)
    except (UnicodeEncodeError, binascii.Error):
        raise Refused(f"{what} is not padded base64") from None
    if encode_base64(data) != text:
        raise Refused(f"{what} is not the base64 its bytes have")
    return data


def decode_foreign_base64(text: str, what: str) -> bytes:
    """Base64 as other writers have it: either alphabet, padding optional, last bits free."""
    if not re.fullmatch(r"(?:[A-Za-z0-9+/]*|[A-Za-z0-9_-]*)={0,2}", text, re.ASCII):
        raise Refused(f"{what} is not base64")
    digits = text.rstrip("=")
    if len(digits) % 4 == 1 or len(text) - len(digits) > -len(digits) % 4:
        raise Refused(f"{what} is not base64 of whole bytes")
    return base64.urlsafe_b64decode(
        digits.replace("+", "-").replace("/", "_") + "=" * (-len(digits) % 4))


def encode_base64(data: bytes) -> str:
    """Standard padded base64."""
    return base64.b64encode(data).decode("ascii")


def decode_decimal(text: str, what: str) -> int:
    """An unsigned 64-bit number in ASCII decimal without leading zeros."""
    if not re.fullmatch(r"0|[1-9][0-9]{0,19}", text, re.ASCII) or int(text) > U64_MAX:
        raise Refused(f"{what} is no decimal number of 64 bits")
    return int(text)


def decode_utf8(data: bytes, what: str) -> str:
    """Strict UTF-8, without a byte order mark being taken away."""
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        raise Refused(f"{what} is not UTF-8") from None


# ---- Canonical JSON (RFC 8785) and the rules of every hashed object --------------------------

MAX_DEPTH = 64


def parse_json(data: bytes, what: str, *, fractions: bool = False,
               largest: int = SAFE_INTEGER) -> Any:
    """Strict JSON: Unicode text, no duplicate member, no unsafe integer, nesting at most 64 deep.

    Numbers with a fraction or an exponent become doubles where `fractions` allows them.
    """

    def members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for name, value in pairs:
            if name in found:
                raise Refused(f"{what} has the member {name!r} twice")
            found[name] = value
        return found

    def integer(text: str) -> int:
        if len(text) > 21 or abs(int(text)) > largest:
            raise Refused(f"{what} has an integer beyond {largest}")
        return int(text)

    def fraction(text: str) -> float:
        if not fractions:
            raise Refused(f"{what} has the fraction or exponent {text[:32]}")
        if math.isinf(float(text)):
            raise Refused(f"{what} has the number {text[:32]}, which overflows")
        return float(text)

    def no_number(text: str) -> Any:
        raise Refused(f"{what} has {text}, which is no JSON")

    try:
        value = json.loads(decode_utf8(data, what), object_pairs_hook=members, parse_int=integer,
                           parse_float=fraction, parse_constant=no_number)
    except RecursionError:
        raise Refused(f"{what} nests deeper than {MAX_DEPTH}") from None
    except ValueError as error:
        raise Refused(f"{what} is not JSON: {error}") from None
    check_depth(value, what)
    canonical_json(value, what)  # refuses lone surrogates
    return value


def check_depth(value: Any, what: str) -> None:
    """Refuses values that nest deeper than `MAX_DEPTH` arrays and objects."""
    level, depth = [value], 0
    while level := [item for item in level if isinstance(item, (list, dict))]:
        depth += 1
        if depth > MAX_DEPTH:
            raise Refused(f"{what} nests deeper than {MAX_DEPTH}")
        level = [inner for item in level
                 for inner in (item.values() if isinstance(item, dict) else item)]


def canonical_json(value: Any, what: str = "value") -> bytes:
    """RFC 8785 bytes of a value that `parse_json` returned."""

    def write(value: Any) -> str:
        if isinstance(value, dict):
            names = sorted(value, key=lambda name: name.encode("utf-16-be"))
            return "{" + ",".join(f"{write(name)}:{write(value[name])}" for name in names) + "}"
        if isinstance(value, list):
            return "[" + ",".join(map(write, value)) + "]"
        if isinstance(value, float):
            return format_double(value)
        return json.dumps(value, ensure_ascii=False)

    try:
        return write(value).encode("utf-8")
    except UnicodeEncodeError:
        raise Refused(f"{what} has a lone surrogate, which is no Unicode text") from None


def format_double(value: float) -> str:
    """ECMAScript's spelling of a double (RFC 8785 section 3.2.2.3).

    Python's `repr` has the same shortest digits and only places the point otherwise.
    """
    if value == 0:
        return "0"
    sign = "-" if value < 0 else ""
    mantissa, _, exponent = f"{abs(value)!r}".partition("e")
    whole, _, fraction = mantissa.partition(".")
    point = len(whole) + int(exponent or 0)
    digits = (whole + fraction).lstrip("0")
    point -= len(whole + fraction) - len(digits)
    digits = digits.rstrip("0")
    if 0 < point <= 21:
        padded = digits.ljust(point, "0")
        return sign + padded[:point] + ("." + padded[point:] if padded[point:] else "")
    if -6 < point <= 0:
        return sign + "0." + "0" * -point + digits
    tail = "." + digits[1:] if digits[1:] else ""
    return f"{sign}{digits[0]}{tail}e{point - 1:+d}"


def parse_canonical(data: bytes, what: str) -> Any:
    """Parses hashed JSON: strict, and equal to its own canonical form."""
    value = parse_json(data, what)
    if canonical_json(value, what) != data:
        raise Refused(f"{what} is not in canonical form (RFC 8785)")
    return value


# Each table of FORMATS.md becomes a `Shape`; each column "type" a function that refuses.
Check = Callable[[Any, str], None]


@dataclass(frozen=True)
class Shape:
    """An object with exactly these members; the optional ones may be absent."""

    required: dict[str, Check]
    optional: dict[str, Check]

    def __call__(self, value: Any, what: str) -> None:
        if not isinstance(value, dict):
            raise Refused(f"{what} is no object")
        for name in self.required.keys() - value.keys():
            raise Refused(f"{what} lacks the member {name!r}")
        for name, member in value.items():
            check = self.required.get(name) or self.optional.get(name)
            if check is None:
                raise Refused(f"{what} has the unknown member {name!r}")
            check(member, f"{what}.{name}")


def is_string(value: Any, what: str) -> None:
    """Any string."""
    if not isinstance(value, str):
        raise Refused(f"{what} is no string")


def is_integer(value: Any, what: str) -> None:
    """Any integer; true and false are none."""
    if type(value) is not int:
        raise Refused(f"{what} is no integer")


def is_count(value: Any, what: str) -> None:
    """An integer from 0."""
    is_integer(value, what)
    if value < 0:
        raise Refused(f"{what} is negative")


def is_uint32(value: Any, what: str) -> None:
    """An integer of 32 bits from 0."""
    is_count(value, what)
    if value >= 2**32:
        raise Refused(f"{what} exceeds 32 bits")


def is_matching(pattern: str, description: str) -> Check:
    """A string that a regular expression matches as a whole."""

    def check(value: Any, what: str) -> None:
        if not isinstance(value, str) or not re.fullmatch(pattern, value, re.ASCII):
            raise Refused(f"{what} is no {description}")

    return check


def is_boolean(value: Any, what: str) -> None:
    """True or false."""
    if not isinstance(value, bool):
        raise Refused(f"{what} is neither true nor false")


def is_object(value: Any, what: str) -> None:
    """Any object."""
    if not isinstance(value, dict):
        raise Refused(f"{what} is no object")


def is_exactly(expected: Any) -> Check:
    """One value and no other."""

    def check(value: Any, what: str) -> None:
        if type(value) is not type(expected) or value != expected:
            raise Refused(f"{what} is not {expected!r}")

    return check


def is_one_of(*words: str) -> Check:
    """One of some words."""

    def check(value: Any, what: str) -> None:
        if not isinstance(value, str) or value not in words:
            raise Refused(f"{what} is none of {', '.join(words)}")

    return check


def is_array_of(item_check: Check) -> Check:
    """An array whose items all pass."""

    def check(value: Any, what: str) -> None:
        if not isinstance(value, list):
            raise Refused(f"{what} is no array")
        for index, item in enumerate(value):
            item_check(item, f"{what}[{index}]")

    return check


def is_strings_by_name(value: Any, what: str) -> None:
    """An object whose values are strings."""
    is_object(value, what)
    for name, member in value.items():
        is_string(member, f"{what}.{name}")


# ---- 1. Ids ----------------------------------------------------------------------------------

is_id = is_matching(r"sha256:[0-9a-f]{64}", "id: sha256: and 64 lower-case hex digits")
is_hex_hash = is_matching(r"[0-9a-f]{64}", "hash: 64 lower-case hex digits")


def sha256(*parts: bytes) -> bytes:
    """SHA-256 over the parts, one behind the other."""
    return hashlib.sha256(b"".join(parts)).digest()


def id_of(data: bytes) -> str:
    """The id of some bytes."""
    return "sha256:" + sha256(data).hex()


# ---- 2. Merkle trees (RFC 6962 section 2.1, RFC 9162 section 2.1) ----------------------------

EMPTY_ROOT = sha256(b"")


def leaf_hash(leaf: bytes) -> bytes:
    """SHA-256(0x00 || leaf)."""
    return sha256(b"\x00", leaf)


def node_hash(left: bytes, right: bytes) -> bytes:
    """SHA-256(0x01 || left || right)."""
    return sha256(b"\x01", left, right)


def merkle_root(leaf_hashes: Iterable[bytes]) -> bytes:
    """Root of the tree over leaf hashes.

    Level by level, a last node without a sibling moving up unchanged: the same tree as the
    definition's split at the largest power of two.
    """
    level = list(leaf_hashes)
    if not level:
        return EMPTY_ROOT
    while len(level) > 1:
        paired = [node_hash(level[i], level[i + 1]) for i in range(0, len(level) - 1, 2)]
        level = paired + level[len(level) & ~1:]
    return level[0]


def verify_inclusion(index: int, size: int, leaf: bytes, proof: list[bytes], root: bytes) -> None:
    """RFC 9162 section 2.1.3.2; `leaf` is the leaf's hash."""
    if index >= size:
        raise Refused(f"leaf index {index} is not below the tree size {size}")
    fn, sn, computed = index, size - 1, leaf
    for sibling in proof:
        if sn == 0:
            raise Refused("inclusion proof is too long")
        if fn & 1 or fn == sn:
            computed = node_hash(sibling, computed)
            while fn and not fn & 1:
                fn, sn = fn >> 1, sn >> 1
        else:
            computed = node_hash(computed, sibling)
        fn, sn = fn >> 1, sn >> 1
    if sn != 0:
        raise Refused("inclusion proof is too short")
    if computed != root:
        raise Refused("inclusion proof leads to another root")


def verify_consistency(size1: int, size2: int, root1: bytes, root2: bytes,
                       proof: list[bytes]) -> None:
    """RFC 9162 section 2.1.4.2, with the two cases of an empty proof."""
    if size1 > size2:
        raise Refused(f"old size {size1} exceeds the new size {size2}")
    if size1 == 0 or size1 == size2:
        if proof:
            raise Refused("consistency proof is too long: none is needed here")
        if size1 == 0 and root1 != EMPTY_ROOT:
            raise Refused("old root of size 0 is not the empty root")
        if size1 == size2 and root1 != root2:
            raise Refused("two roots of one size")
        if size2 == 0 and root2 != EMPTY_ROOT:
            raise Refused("new root of size 0 is not the empty root")
        return
    path = list(proof)
    if size1 & (size1 - 1) == 0:
        path.insert(0, root1)
    if not path:
        raise Refused("consistency proof is too short")
    fn, sn = size1 - 1, size2 - 1
    while fn & 1:
        fn, sn = fn >> 1, sn >> 1
    old = new = path[0]
    for sibling in path[1:]:
        if sn == 0:
            raise Refused("consistency proof is too long")
        if fn & 1 or fn == sn:
            old, new = node_hash(sibling, old), node_hash(sibling, new)
            while fn and not fn & 1:
                fn, sn = fn >> 1, sn >> 1
        else:
            new = node_hash(new, sibling)
        fn, sn = fn >> 1, sn >> 1
    if sn != 0:
        raise Refused("consistency proof is too short")
    if old != root1:
        raise Refused("consistency proof leads to another old root")
    if new != root2:
        raise Refused("consistency proof leads to another new root")


def cover(start: int, end: int) -> Iterator[tuple[int, int]]:
    """Maximal aligned complete subtrees over leaves `[start, end)`: (first leaf, leaves)."""
    while start < end:
        width = start & -start or 1 << 64
        while width > end - start:
            width >>= 1
        yield start, width
        start += width


def verify_range(start: int, size: int, leaf_hashes: list[bytes], proof: list[bytes],
                 root: bytes) -> None:
    """Range proof of section 2: leaves `[start, start + len(leaf_hashes))` are exactly these."""
    end = start + len(leaf_hashes)
    if end > size:
        raise Refused(f"the range ends beyond the tree of {size}")
    outside = [*cover(0, start), *cover(end, size)]
    if len(proof) != len(outside):
        raise Refused(f"range proof is too {'long' if len(proof) > len(outside) else 'short'}")
    known = {(first, width): node for (first, width), node in zip(outside, proof)}
    known.update({(start + i, 1): node for i, node in enumerate(leaf_hashes)})

    def subtree(first: int, width: int) -> bytes:
        """RFC 6962's definition, from the hashes at hand."""
        if (first, width) in known:
            return known[first, width]
        if width <= 1:
            raise Refused("range proof is too short")
        left = 1 << (width - 1).bit_length() - 1
        return node_hash(subtree(first, left), subtree(first + left, width - left))

    if (subtree(0, size) if size else EMPTY_ROOT) != root:
        raise Refused("range proof leads to another root")


# ---- 3. Event leaf ---------------------------------------------------------------------------

MAX_LEAF_BYTES = 8192


def encode_varint(number: int) -> bytes:
    """Minimal base-128 varint."""
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


def decode_varint(data: bytes, at: int, what: str) -> tuple[int, int]:
    """A varint at an offset, and the offset behind it."""
    number = 0
    for place in range(10):
        if at >= len(data):
            break
        byte = data[at]
        at += 1
        number |= (byte & 0x7F) << 7 * place
        if byte < 0x80:
            if number > U64_MAX:
                break
            return number, at
    raise Refused(f"{what} has a varint that does not end")


def encode_message(fields: dict[int, int | bytes]) -> bytes:
    """The canonical protobuf encoding: ascending fields, defaults omitted, minimal varints."""
    out = b""
    for number, value in sorted(fields.items()):
        if isinstance(value, int) and value:
            out += encode_varint(number << 3) + encode_varint(value)
        elif isinstance(value, bytes) and value:
            out += encode_varint(number << 3 | 2) + encode_varint(len(value)) + value
    return out


def decode_message(data: bytes, kinds: dict[int, type], what: str) -> dict[int, Any]:
    """Parses a message and refuses it when its canonical encoding differs from what it was."""
    fields: dict[int, Any] = {number: kind() for number, kind in kinds.items()}
    at = 0
    while at < len(data):
        tag, at = decode_varint(data, at, what)
        kind = kinds.get(tag >> 3)
        if kind is int and tag & 7 == 0:
            fields[tag >> 3], at = decode_varint(data, at, what)
        elif kind is bytes and tag & 7 == 2:
            length, at = decode_varint(data, at, what)
            if length > len(data) - at:
                raise Refused(f"{what} ends within field {tag >> 3}")
            fields[tag >> 3], at = data[at:at + length], at + length
        else:
            raise Refused(f"{what} has an unknown field {tag >> 3} of wire type {tag & 7}")
    if encode_message(fields) != data:
        raise Refused(f"{what} is not in its canonical encoding")
    return fields


@dataclass(frozen=True)
class EventHeader:
    """What a leaf of the log says."""

    log_origin: str
    stream: str
    position: int
    time_unix_ms: int
    actor: str
    type: str
    payload_commitment: bytes


def parse_event_header(leaf: bytes) -> EventHeader:
    """Section 3: the one canonical encoding of `EventHeader`, at most 8,192 bytes."""
    if len(leaf) > MAX_LEAF_BYTES:
        raise Refused(f"event leaf exceeds {MAX_LEAF_BYTES} bytes")
    kinds = {1: bytes, 2: bytes, 3: bytes, 4: int, 5: int, 6: bytes, 7: bytes, 8: bytes}
    fields = decode_message(leaf, kinds, "event leaf")
    text = {number: decode_utf8(fields[number], f"field {number} of the event leaf")
            for number in (1, 2, 3, 6, 7)}
    if text[1] != "stella.event/v1":
        raise Refused("event leaf is not of schema stella.event/v1")
    for number in (2, 3, 6, 7):
        if not 1 <= len(fields[number]) <= 255:
            raise Refused(f"field {number} of the event leaf is not 1 to 255 bytes long")
        if any(unicodedata.category(character) == "Cc" for character in text[number]):
            raise Refused(f"field {number} of the event leaf has a control character")
    if len(fields[8]) != 32:
        raise Refused("payload commitment of the event leaf is not 32 bytes long")
    return EventHeader(text[2], text[3], fields[4], fields[5], text[6], text[7], fields[8])


def format_time(time_unix_ms: int) -> str:
    """`YYYY-MM-DDTHH:MM:SS.sssZ`."""
    seconds, milliseconds = divmod(time_unix_ms, 1000)
    try:
        moment = datetime.fromtimestamp(seconds, timezone.utc)
    except (OverflowError, OSError, ValueError):
        raise Refused("time lies beyond the year 9999") from None
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{milliseconds:03}Z"


def parse_time(text: str) -> int:
    """Milliseconds of a time in the one spelling that `format_time` gives it."""
    try:
        moment = datetime.strptime(text, "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=timezone.utc)
    except ValueError:
        raise Refused("time is not YYYY-MM-DDTHH:MM:SS.sssZ") from None
    elapsed = moment - datetime(1970, 1, 1, tzinfo=timezone.utc)
    time_unix_ms = elapsed // timedelta(milliseconds=1)
    if time_unix_ms < 0 or format_time(time_unix_ms) != text:
        raise Refused("time is not YYYY-MM-DDTHH:MM:SS.sssZ")
    return time_unix_ms


# ---- 4. Event payloads -----------------------------------------------------------------------

is_scan_id = is_matching(r"scan-[0-9a-f]{20,64}", "scan id: scan- and 20 to 64 hex digits")

ROOT_SEALED = Shape(required={
    "schema": is_exactly("stella.root-sealed/v1"),
    "scanId": is_scan_id,
    "manifestHash": is_id,
    "rootHash": is_id,
    "nodeCount": is_uint32,
    "scoreBps": is_integer,
    "engineVersion": is_uint32,
    "artifactDigest": is_id,
    "firstLeaf": is_count,
    "engineBuild": is_string,
}, optional={})


@dataclass(frozen=True)
class RuleApplied:
    """Payload of `rule.applied`: one node of a computation."""

    computation: bytes
    sequence: int
    node: bytes


def parse_rule_applied(payload: bytes) -> RuleApplied:
    """Section 4: encoded as an event leaf is; the node's bytes are not looked into."""
    fields = decode_message(payload, {1: bytes, 2: int, 3: bytes}, "rule application")
    if len(fields[1]) != 32:
        raise Refused("computation of the rule application is not 32 bytes long")
    if fields[2] >= 2**32:
        raise Refused("sequence of the rule application exceeds 32 bits")
    if not fields[3]:
        raise Refused("rule application has no node")
    return RuleApplied(fields[1], fields[2], fields[3])


# ---- 5. Scan manifest ------------------------------------------------------------------------


MANIFEST = Shape(required={
    "schema": is_exactly("stella.scan-manifest/v1"),
    "artifactDigest": is_id,
    "sbomDigest": is_id,
    "concelierSnapshotHash": is_id,
    "excititorSnapshotHash": is_id,
    "latticePolicyHash": is_id,
    "engineVersion": is_uint32,
    "scannerVersion": is_string,
    "workerVersion": is_string,
    "deterministic": is_exactly(True),
    "seed": is_hex_hash,
    "knobs": is_strings_by_name,
}, optional={
    "artifactPurl": is_string,
    "reachabilityDigest": is_id,
})


def parse_manifest(data: bytes) -> dict[str, Any]:
    """A manifest from its canonical bytes; its hash is `id_of` those bytes."""
    manifest = parse_canonical(data, "manifest")
    MANIFEST(manifest, "manifest")
    return manifest


# ---- 6. Proof nodes --------------------------------------------------------------------------

SCOPES = ("finding", "component", "scan")
MAX_NODES = 1_000_000


MAX_FACT_DEPTH = 16


def is_rule_value(value: Any, what: str, depth: int = 0) -> None:
    """String, integer, boolean, or an array or object of those, nested at most 16 deep."""
    if depth > MAX_FACT_DEPTH and isinstance(value, (dict, list)):
        raise Refused(f"{what} is nested deeper than {MAX_FACT_DEPTH}")
    if isinstance(value, dict):
        for name, member in value.items():
            is_rule_value(member, f"{what}.{name}", depth + 1)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            is_rule_value(item, f"{what}[{index}]", depth + 1)
    elif not isinstance(value, (str, int)):
        raise Refused(f"{what} is no string, integer, boolean, array or object")


def is_rule_object(value: Any, what: str) -> None:
    """`in` and `out`: an object of rule values."""
    is_object(value, what)
    is_rule_value(value, what)


def is_sorted_ids(value: Any, what: str) -> None:
    """Ids in ascending order, none twice."""
    is_array_of(is_id)(value, what)
    if any(left >= right for left, right in zip(value, value[1:])):
        raise Refused(f"{what} is not sorted, or has an id twice")


NODE = Shape(required={
    "schema": is_exactly("stella.proof-node/v1"),
    "kind": is_one_of("input", "transform", "delta", "score"),
    "ruleId": is_string,
    "scope": is_one_of(*SCOPES),
    "subject": Shape({}, {"purl": is_string, "component": is_string, "advisoryId": is_string}),
    "parentIds": is_sorted_ids,
    "evidenceRefs": is_array_of(Shape(
        {"input": is_id}, {"entry": is_string, "pointer": is_string, "line": is_count})),
    "in": is_rule_object,
    "out": is_rule_object,
    "deltaBps": is_integer,
    "totalBps": is_integer,
}, optional={})


@dataclass(frozen=True)
class ScoreProof:
    """A computation: its nodes, their ids, and the root over them."""

    nodes: list[dict[str, Any]]
    ids: list[str]
    leaves: list[bytes]
    root: bytes

    def score_bps(self) -> int:
        """Total of the last node of scope `scan`; 0 where there is none."""
        totals = [node["totalBps"] for node in self.nodes if node["scope"] == "scan"]
        return totals[-1] if totals else 0


def parse_node(data: bytes) -> str:
    """The id of a proof node, from its canonical bytes."""
    NODE(parse_canonical(data, "node"), "node")
    return id_of(data)


def parse_score_proof(data: bytes) -> ScoreProof:
    """`score_proof.json`: canonical, and each id recomputed; the order is `check_order`'s."""
    proof = parse_canonical(data, "score proof")
    Shape({"schema": is_exactly("stella.score-proof/v1"), "nodes": is_array_of(is_object)}, {})(
        proof, "score proof")
    if len(proof["nodes"]) > MAX_NODES:
        raise Refused(f"score proof has more than {MAX_NODES} nodes")
    nodes, ids, leaves = [], [], []
    for sequence, stored in enumerate(proof["nodes"]):
        what = f"node {sequence}"
        node = {name: member for name, member in stored.items() if name != "id"}
        NODE(node, what)
        leaf = canonical_json(node, what)
        if stored.get("id") != id_of(leaf):
            raise Refused(f"{what} has no id, or not the hash of its bytes as id")
        nodes.append(node)
        ids.append(id_of(leaf))
        leaves.append(leaf)
    return ScoreProof(nodes, ids, leaves, merkle_root(map(leaf_hash, leaves)))


def check_order(proof: ScoreProof, manifest_hash: str) -> None:
    """Node 0 names the manifest and says nothing else; the others stand in emission order."""
    first = {
        "schema": "stella.proof-node/v1", "kind": "input", "ruleId": "manifest", "scope": "scan",
        "subject": {}, "parentIds": [], "evidenceRefs": [], "in": {"manifestHash": manifest_hash},
        "out": {}, "deltaBps": 0, "totalBps": 0,
    }
    if not proof.nodes or proof.nodes[0] != first:
        raise Refused("node 0 is not the input that names the manifest, and nothing else")
    check_emission_order(proof)


OrderKey = tuple[int, bytes, bytes, bytes]


def order_key(node: dict[str, Any]) -> OrderKey:
    """Scope, purl, component and advisory id: what orders nodes before the rule's index does."""
    subject = node["subject"]
    purl, component, advisory = (subject.get(name, "").encode("utf-8")
                                 for name in ("purl", "component", "advisoryId"))
    return SCOPES.index(node["scope"]), purl, component, advisory


def check_emission_order(proof: ScoreProof) -> None:
    """After node 0 always the least ready node, so parents before their children.

    The index of a rule stands in the policy, which is not at hand. So of two ready nodes that are
    alike up to the advisory id, those of one rule must stand in the order of their ids, and those
    of two rules may stand in either order.
    """
    nodes, ids = proof.nodes, proof.ids
    place = {node_id: sequence for sequence, node_id in enumerate(ids)}
    if len(place) != len(ids):
        raise Refused("score proof has a node twice")
    ready: list[tuple[OrderKey, int]] = []
    ready_of_rule: dict[tuple[OrderKey, str], list[tuple[str, int]]] = {}
    missing = [len(node["parentIds"]) for node in nodes]
    children: list[list[int]] = [[] for _ in nodes]

    def make_ready(sequence: int) -> None:
        key, rule = order_key(nodes[sequence]), nodes[sequence]["ruleId"]
        heapq.heappush(ready, (key, sequence))
        heapq.heappush(ready_of_rule.setdefault((key, rule), []), (ids[sequence], sequence))

    def least(heap: list[tuple[Any, int]], sequence: int) -> Any:
        """The least that is ready and not emitted before `sequence`, which is one of them."""
        while heap[0][1] < sequence:
            heapq.heappop(heap)
        return heap[0][0]

    for sequence, node in enumerate(nodes):
        for parent in node["parentIds"]:
            if place.get(parent, sequence) >= sequence:
                raise Refused(f"parent {parent} of node {sequence} is no earlier node")
            children[place[parent]].append(sequence)
        if not node["parentIds"]:
            make_ready(sequence)
    for sequence, node in enumerate(nodes):
        key = order_key(node)
        if sequence > 0 and (least(ready, sequence) < key or least(
                ready_of_rule[key, node["ruleId"]], sequence) < ids[sequence]):
            raise Refused(f"node {sequence} is not the least ready node")
        for child in children[sequence]:
            missing[child] -= 1
            if missing[child] == 0:
                make_ready(child)


# ---- 7. Snapshots ----------------------------------------------------------------------------

TABLES = ("advisory", "alias", "epss", "kev", "severity", "vex")


def is_sorted_strings(value: Any, what: str) -> None:
    """Strings in ascending order of their UTF-8 bytes, none twice."""
    is_array_of(is_string)(value, what)
    encoded = [item.encode("utf-8") for item in value]
    if any(left >= right for left, right in zip(encoded, encoded[1:])):
        raise Refused(f"{what} is not sorted, or has a string twice")


SNAPSHOT_HEADER = Shape(required={
    "schema": is_exactly("stella.snapshot/v1"),
    "kind": is_one_of("concelier", "excititor"),
    "sources": is_sorted_strings,
    "count": is_count,
    "root": is_id,
}, optional={})


def parse_snapshot_header(data: bytes) -> str:
    """The snapshot's hash, from its header."""
    SNAPSHOT_HEADER(parse_canonical(data, "snapshot header"), "snapshot header")
    return id_of(data)


def parse_snapshot_row(data: bytes) -> bytes:
    """The leaf hash of a snapshot's row."""
    row = parse_canonical(data, "row")
    is_array_of(is_string)(row, "row")
    if len(row) != 6 or row[0] not in TABLES:
        raise Refused("row is not six strings that begin with a table's name")
    is_id(row[5], "record hash of the row")
    return leaf_hash(data)


RECORDS_MAGIC = b"stella.snapshot-records/v1\n"


def records_parts(data: bytes) -> Iterator[bytes]:
    """The parts of a records file (7.1), each behind its length."""
    if not data.startswith(RECORDS_MAGIC):
        raise Refused("records file begins otherwise")
    at = len(RECORDS_MAGIC)
    while at < len(data):
        length = int.from_bytes(data[at:at + 4], "big")
        part = data[at + 4:at + 4 + length]
        if at + 4 > len(data) or len(part) != length:
            raise Refused("records file is cut short")
        yield part
        at += 4 + length


def snapshot_of_records(data: bytes) -> str | None:
    """The snapshot that a records file says it is of; nothing when it is none."""
    try:
        return parse_snapshot_header(next(records_parts(data), b""))
    except Refused:
        return None


def read_records(data: bytes) -> None:
    """Every row and record of a records file, under its header's root."""
    parts = records_parts(data)
    first = next(parts, b"")
    parse_snapshot_header(first)
    header = json.loads(first)
    seen, leaves, last = set(), [], None
    for _ in range(header["count"]):
        part = next(parts, None)
        if part is None:
            raise Refused("records file is cut short")
        leaves.append(parse_snapshot_row(part))
        row = json.loads(part)
        key = [column.encode("utf-8") for column in row[:5]]
        if last is not None and last >= key:
            raise Refused("rows of the records file do not ascend")
        last = key
        if row[5] not in seen:
            record = next(parts, None)
            if record is None or id_of(record) != row[5]:
                raise Refused("a record is not the one that its row names")
            seen.add(row[5])
    if next(parts, None) is not None:
        raise Refused("records file goes on after its last row")
    if "sha256:" + merkle_root(leaves).hex() != header["root"]:
        raise Refused("rows of the records file have another root than its header says")


SNAPSHOT_ANSWER = Shape(required={
    "columns": is_array_of(is_string),
    "hashes": is_array_of(is_id),
    "rows": is_array_of(is_array_of(is_string)),
    "start": is_count,
}, optional={
    "after": is_array_of(is_string),
    "before": is_array_of(is_string),
    "startsWith": is_string,
})
SNAPSHOT_PROOF = Shape(required={
    "schema": is_exactly("stella.snapshot-proof/v1"),
    "answers": is_array_of(SNAPSHOT_ANSWER),
    "header": SNAPSHOT_HEADER,
    "records": is_array_of(is_string),
}, optional={})
MAX_SNAPSHOT_PROOF_BYTES = 64 << 20
MAX_SNAPSHOT_PROOF_ANSWERS = 256


def place_of_row(row: list[str], answer: dict[str, Any]) -> int:
    """-1, 0 or 1: the row stands before, among or after those that a question asks for."""
    asked = [column.encode("utf-8") for column in answer["columns"]]
    have = [column.encode("utf-8") for column in row]
    for wanted, column in zip(asked, have):
        if column != wanted:
            return -1 if column < wanted else 1
    if "startsWith" in answer:
        begin, column = answer["startsWith"].encode("utf-8"), have[len(asked)]
        if not column.startswith(begin):
            return -1 if column < begin else 1
    return 0


def verify_snapshot_answer(answer: dict[str, Any], count: int, root: bytes) -> None:
    """An answer holds exactly the rows that the snapshot has for its question."""
    named = len(answer["columns"]) + ("startsWith" in answer)
    if not answer["columns"] or named > 5:
        raise Refused("a question names one to five columns")
    run, sides = [], []
    for row, side in [(answer.get("before"), -1), *((row, 0) for row in answer["rows"]),
                      (answer.get("after"), 1)]:
        if row is not None:
            run.append(parse_snapshot_row(canonical_json(row)))
            sides.append(place_of_row(row, answer) == side)
    if not all(sides):
        raise Refused("a row stands on the wrong side of its question")
    start = answer["start"]
    hashes = [bytes.fromhex(text.removeprefix("sha256:")) for text in answer["hashes"]]
    verify_range(start, count, run, hashes, root)
    if "before" not in answer and start != 0:
        raise Refused("the run ends inside the snapshot without a neighbour")
    if "after" not in answer and start + len(run) != count:
        raise Refused("the run ends inside the snapshot without a neighbour")


def verify_snapshot_proof(data: bytes, wanted: str) -> list[int]:
    """How many rows each answer of a proof has, once all of it holds for the snapshot `wanted`."""
    if len(data) > MAX_SNAPSHOT_PROOF_BYTES:
        raise Refused("a snapshot proof has at most 64 MiB")
    proof = parse_canonical(data, "snapshot proof")
    SNAPSHOT_PROOF(proof, "snapshot proof")
    if len(proof["answers"]) > MAX_SNAPSHOT_PROOF_ANSWERS:
        raise Refused("a snapshot proof has at most 256 answers")
    header = proof["header"]
    found = parse_snapshot_header(canonical_json(header))
    if found != wanted:
        raise Refused(f"the proof is of snapshot {found}, not {wanted}")
    root = bytes.fromhex(header["root"].removeprefix("sha256:"))
    for answer in proof["answers"]:
        verify_snapshot_answer(answer, header["count"], root)
    named = {row[5] for answer in proof["answers"] for row in answer["rows"]}
    records = [id_of(decode_base64(text, "record")) for text in proof["records"]]
    if not named.issuperset(records) or any(a >= b for a, b in zip(records, records[1:])):
        raise Refused("a record of the proof belongs to none of its rows")
    return [len(answer["rows"]) for answer in proof["answers"]]


# ---- 8. Keys and signatures ------------------------------------------------------------------

ED25519_PRIME = 2**255 - 19
ED25519_D = -121665 * pow(121666, -1, ED25519_PRIME) % ED25519_PRIME


def is_usable_point(encoded: bytes) -> bool:
    """Whether bytes are the encoding of an Ed25519 point that is not of small order.

    Decoding as in RFC 8032 section 5.1.3, so y below the prime and x^2 a square. The points of
    order 1, 2, 4 and 8 are those with x = 0, y = 0 or x^2 = -y^2. The sign of x is free.
    """
    if len(encoded) != 32:
        return False
    p = ED25519_PRIME
    y = int.from_bytes(encoded, "little") & (1 << 255) - 1
    if y >= p:
        return False
    x2 = (y * y - 1) * pow(ED25519_D * y * y + 1, -1, p) % p
    if x2 == 0 or y == 0 or (x2 + y * y) % p == 0:
        return False
    return pow(x2, (p - 1) // 2, p) == 1


def verify_ed25519(public_key: bytes, signature: bytes, message: bytes) -> bool:
    """Ed25519 (RFC 8032), strict: reduced S, and neither the key nor R of small order."""
    if len(signature) != 64 or not is_usable_point(signature[:32]):
        return False
    try:
        ed25519.Ed25519PublicKey.from_public_bytes(public_key).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True


PEM = re.compile(r"[ \t\r\n]*-----BEGIN PUBLIC KEY-----([A-Za-z0-9+/= \t\r\n]*)"
                 r"-----END PUBLIC KEY-----[ \t\r\n]*", re.ASCII)


@dataclass(frozen=True)
class PublicKey:
    """A key that signs envelopes: its algorithm and its id, hex SHA-256 of its SPKI DER."""

    key: ed25519.Ed25519PublicKey | ec.EllipticCurvePublicKey | rsa.RSAPublicKey
    algorithm: str
    key_id: str

    def pem(self) -> bytes:
        """The PEM as Stella writes it: lines of 64 digits."""
        return self.key.public_bytes(serialization.Encoding.PEM,
                                     serialization.PublicFormat.SubjectPublicKeyInfo)

    def verifies(self, signature: bytes, message: bytes) -> bool:
        """Whether the signature is this key's over the message; ECDSA signatures are DER."""
        if isinstance(self.key, ed25519.Ed25519PublicKey):
            return verify_ed25519(self.key.public_bytes_raw(), signature, message)
        digest = hashes.SHA384() if self.algorithm == "ecdsa-p384-sha384" else hashes.SHA256()
        try:
            if isinstance(self.key, rsa.RSAPublicKey):
                self.key.verify(signature, message, padding.PKCS1v15(), digest)
            else:
                self.key.verify(signature, message, ec.ECDSA(digest))
        except InvalidSignature:
            return False
        return True


def load_public_key(pem: str) -> PublicKey:
    """One PEM block `PUBLIC KEY` with a SubjectPublicKeyInfo, and nothing around it."""
    block = PEM.fullmatch(pem)
    if block is None:
        raise Refused("public key is not one PEM block PUBLIC KEY")
    return load_public_key_der(decode_base64("".join(block[1].split()), "PEM of the public key"))


def load_public_key_der(der: bytes) -> PublicKey:
    """A SubjectPublicKeyInfo."""
    try:
        key = serialization.load_der_public_key(der)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise Refused("public key has DER that is not acceptable") from None
    algorithm = algorithm_of(key)
    spki = key.public_bytes(serialization.Encoding.DER,
                            serialization.PublicFormat.SubjectPublicKeyInfo)
    return PublicKey(key, algorithm, sha256(spki).hex())


def algorithm_of(key: Any) -> str:
    """Each kind of key has one algorithm; other kinds and weak keys are refused."""
    if isinstance(key, ed25519.Ed25519PublicKey) and is_usable_point(key.public_bytes_raw()):
        return "ed25519"
    if isinstance(key, ec.EllipticCurvePublicKey):
        if key.curve.name == "secp256r1":
            return "ecdsa-p256-sha256"
        if key.curve.name == "secp384r1":
            return "ecdsa-p384-sha384"
    if isinstance(key, rsa.RSAPublicKey) and 2048 <= key.key_size <= 8192:
        return "rsa-pkcs1-sha256"
    raise Refused("public key is not supported or not acceptable")


# ---- 8. Envelopes (DSSE v1, in-toto Statement v1) --------------------------------------------

PAYLOAD_TYPE = "application/vnd.in-toto+json"
STATEMENT_TYPES = ("https://in-toto.io/Statement/v1", "https://in-toto.io/Statement/v0.1")
MAX_ENVELOPE_SIGNATURES = 64


def pae(payload_type: bytes, body: bytes) -> bytes:
    """DSSE's pre-authentication encoding: what is signed."""
    return b"DSSEv1 %d %s %d %s" % (len(payload_type), payload_type, len(body), body)


@dataclass(frozen=True)
class Envelope:
    """A DSSE envelope, decoded and not yet verified: signatures with the key id each claims."""

    payload_type: str
    payload: bytes
    signatures: list[tuple[str | None, bytes]]

    def signers(self, keys: list[PublicKey], *, check_key_ids: bool = False) -> list[str]:
        """Ids of the trusted keys that signed, each once, ascending.

        Key ids play no part, but with `check_key_ids` one that names another key than the trusted
        one that made the signature is refused.
        """
        message = pae(self.payload_type.encode("utf-8"), self.payload)
        made = [(claimed, key.key_id) for claimed, signature in self.signatures for key in keys
                if key.verifies(signature, message)]
        if check_key_ids and any(claimed != key_id for claimed, key_id in made):
            raise Refused("keyid of a signature is not the id of the key that made it")
        return sorted({key_id for _, key_id in made})


def require_signers(signers: list[str], threshold: int) -> None:
    """Refuses fewer distinct keys than are required."""
    if len(signers) < threshold:
        raise Refused(f"{len(signers)} of {threshold} required trusted keys signed")


def parse_envelope(data: bytes) -> Envelope:
    """Any writer's envelope: members that DSSE does not name are ignored."""
    value = parse_json(data, "envelope", fractions=True)
    is_object(value, "envelope")
    for name in ("payload", "payloadType"):
        is_string(value.get(name), f"{name} of the envelope")
    is_array_of(is_object)(value.get("signatures"), "signatures of the envelope")
    check_signature_count(value["signatures"])
    signatures = []
    for entry in value["signatures"]:
        is_string(entry.get("sig"), "sig of the envelope")
        if entry.get("keyid") is not None:
            is_string(entry["keyid"], "keyid of the envelope")
        signatures.append((entry.get("keyid"),
                           decode_foreign_base64(entry["sig"], "sig of the envelope")))
    payload = decode_foreign_base64(value["payload"], "payload of the envelope")
    return Envelope(value["payloadType"], payload, signatures)


def parse_written_envelope(data: bytes) -> Envelope:
    """An envelope in the form that Stella writes, the only one in a bundle."""
    value = parse_canonical(data, "envelope")
    Shape({
        "payload": is_string,
        "payloadType": is_exactly(PAYLOAD_TYPE),
        "signatures": is_array_of(Shape({"keyid": is_string, "sig": is_string}, {})),
    }, {})(value, "envelope")
    check_signature_count(value["signatures"])
    signatures = [(entry["keyid"], decode_base64(entry["sig"], "sig of the envelope"))
                  for entry in value["signatures"]]
    stated = [key_id or "" for key_id, _ in signatures]
    if stated != sorted(set(stated)):
        raise Refused("signatures of the envelope are not in ascending order of keyid")
    payload = decode_base64(value["payload"], "payload of the envelope")
    return Envelope(value["payloadType"], payload, signatures)


def check_signature_count(signatures: list[Any]) -> None:
    """From 1 to 64."""
    if not signatures:
        raise Refused("envelope has no signature")
    if len(signatures) > MAX_ENVELOPE_SIGNATURES:
        raise Refused(f"envelope has more than {MAX_ENVELOPE_SIGNATURES} signatures")


PREDICATES: dict[str, Check] = {
    "score-proof.stella/v1": Shape({
        "engineVersion": is_uint32,
        "logOrigin": is_string,
        "manifestHash": is_id,
        "nodeCount": is_count,
        "rootHash": is_id,
        "scoreBps": is_integer,
    }, {}),
    "scan-manifest.stella/v1": MANIFEST,
}

SUBJECT = Shape({"digest": Shape({"sha256": is_hex_hash}, {}), "name": is_string}, {})


def parse_statement(payload: bytes) -> dict[str, Any]:
    """An in-toto statement: ours exactly as section 8 has it, others by their outline."""
    statement = parse_json(payload, "statement", fractions=True)
    is_object(statement, "statement")
    is_one_of(*STATEMENT_TYPES)(statement.get("_type"), "_type of the statement")
    is_string(statement.get("predicateType"), "predicateType of the statement")
    is_array_of(is_object)(statement.get("subject"), "subject of the statement")
    if not statement["subject"] or not statement["predicateType"]:
        raise Refused("statement has no subject, or no type of predicate")
    for subject in statement["subject"]:
        is_strings_by_name(subject.get("digest"), "digest of a subject")
        if not subject["digest"]:
            raise Refused("a subject has no digest")
    if statement.get("predicate") is not None:
        is_object(statement["predicate"], "predicate of the statement")
    predicate_type = statement["predicateType"]
    if predicate_type in PREDICATES:
        parse_canonical(payload, "statement")
        Shape({
            "_type": is_exactly(STATEMENT_TYPES[0]),
            "subject": is_array_of(SUBJECT),
            "predicateType": is_string,
            "predicate": PREDICATES[predicate_type],
        }, {})(statement, "statement")
        if len(statement["subject"]) != 1:
            raise Refused("subject of the statement is not exactly one")
    return statement


def expected_statement(manifest: dict[str, Any], predicate_type: str,
                       predicate: dict[str, Any]) -> bytes:
    """The one statement of that type about the artifact of a manifest."""
    return canonical_json({
        "_type": STATEMENT_TYPES[0],
        "subject": [{"digest": {"sha256": manifest["artifactDigest"].removeprefix("sha256:")},
                     "name": manifest.get("artifactPurl", "artifact")}],
        "predicateType": predicate_type,
        "predicate": predicate,
    })


# ---- 8. Notes, checkpoints, cosignatures and proof files (C2SP) ------------------------------

MAX_NOTE_SIGNATURES = 100
MAX_PROOF_HASHES = 63
SIGNATURE_ED25519 = 0x01
SIGNATURE_COSIGNATURE = 0x04


def check_key_name(name: str) -> None:
    """signed-note: not empty, no Unicode space, no plus."""
    if not name or "+" in name or any(character.isspace() for character in name):
        raise Refused("key name is empty, or has a space or a plus")


@dataclass(frozen=True)
class VerifierKey:
    """A key that signs notes; one of an unknown type verifies nothing."""

    name: str
    key_id: bytes
    type: int
    key: bytes

    @property
    def label(self) -> str:
        """Name and key id, as a verifier key begins."""
        return f"{self.name}+{self.key_id.hex()}"

    def is_known(self) -> bool:
        """Whether this verifier knows the key's type."""
        return self.type in (SIGNATURE_ED25519, SIGNATURE_COSIGNATURE)

    def verifies(self, signature: bytes, text: bytes) -> bool:
        """Whether the signature, without its key id, is this key's over the text."""
        if self.type == SIGNATURE_ED25519:
            return verify_ed25519(self.key, signature, text)
        if len(signature) != 8 + 64 or cosignature_time(signature) > 2**63 - 1:
            return False
        header = b"cosignature/v1\ntime %d\n" % cosignature_time(signature)
        return verify_ed25519(self.key, signature[8:], header + text)


def cosignature_time(signature: bytes) -> int:
    """tlog-cosignature: seconds since 1970, 8 bytes big-endian before the signature."""
    return int.from_bytes(signature[:8], "big")


def parse_vkey(text: str) -> VerifierKey:
    """signed-note: `<name>+<8 lower-case hex digits>+<base64 of the type byte and the key>`."""
    name, hex_id, encoded = (text.split("+", 2) + ["", ""])[:3]
    check_key_name(name)
    if not re.fullmatch(r"[0-9a-f]{8}", hex_id, re.ASCII):
        raise Refused("verifier key has no key id of 8 lower-case hex digits")
    data = decode_base64(encoded, "verifier key")
    if len(data) < 2:
        raise Refused("verifier key has no key in it")
    key = VerifierKey(name, bytes.fromhex(hex_id), data[0], data[1:])
    if key.is_known():
        if len(key.key) != 32 or not is_usable_point(key.key):
            raise Refused("verifier key is no usable Ed25519 key")
        if sha256(name.encode("utf-8"), b"\n", data)[:4] != key.key_id:
            raise Refused("key id of the verifier key is not that of its name and key")
    return key


@dataclass(frozen=True)
class Signed:
    """A verified note: its text, and the signatures of known keys in the note's order."""

    text: bytes
    signatures: list[tuple[VerifierKey, bytes]]

    def signers(self) -> list[str]:
        """Labels of the keys that signed, each once."""
        return list(dict.fromkeys(key.label for key, _ in self.signatures))


def parse_note(note: bytes) -> tuple[bytes, list[tuple[str, bytes, bytes]]]:
    """signed-note: the text, and name, key id and signature of each line below it."""
    content = decode_utf8(note, "note")
    if any(character < " " and character != "\n" for character in content):
        raise Refused("note has a control character")
    text, separator, lines = content.rpartition("\n\n")
    if not separator:
        raise Refused("note has no empty line before its signatures")
    if not lines:
        raise Refused("note has no signature line")
    if not lines.endswith("\n"):
        raise Refused("last line of the note is not ended")
    signature_lines = lines[:-1].split("\n")
    if len(signature_lines) > MAX_NOTE_SIGNATURES:
        raise Refused(f"note has more than {MAX_NOTE_SIGNATURES} signatures")
    return (text + "\n").encode("utf-8"), [
        parse_signature_line(line, f"signature line {number}")
        for number, line in enumerate(signature_lines, 1)]


def open_note(note: bytes, keys: list[VerifierKey]) -> Signed:
    """Verifies the signatures of known keys and ignores all others.

    One signature of a known key that does not verify refuses the whole note.
    """
    text, signatures = parse_note(note)
    verified = []
    for name, key_id, signature in signatures:
        known = [key for key in keys
                 if key.is_known() and (key.name, key.key_id) == (name, key_id)]
        if known:
            signer = next((key for key in known if key.verifies(signature, text)), None)
            if signer is None:
                raise Refused(f"signature of {name} does not verify")
            verified.append((signer, signature))
    if not verified:
        raise Refused("note has no signature of a trusted key")
    return Signed(text, verified)


def parse_signature_line(line: str, what: str) -> tuple[str, bytes, bytes]:
    """Em dash, space, key name, space, base64 of key id and signature."""
    parts = line.split(" ")
    if len(parts) != 3 or parts[0] != "\u2014":
        raise Refused(f"{what} is none")
    check_key_name(parts[1])
    data = decode_base64(parts[2], what)
    if len(data) < 5:
        raise Refused(f"{what} has no signature behind its key id")
    return parts[1], data[:4], data[4:]


@dataclass(frozen=True)
class Checkpoint:
    """What a log says of its tree."""

    origin: str
    size: int
    root: bytes


def parse_checkpoint(text: bytes, origin: str | None) -> Checkpoint:
    """tlog-checkpoint: origin, size and root lines, then extension lines, none of them empty."""
    lines = text.decode("utf-8").removesuffix("\n").split("\n")
    if len(lines) < 3:
        raise Refused("checkpoint has fewer than three lines")
    if not all(lines):
        raise Refused("checkpoint has an empty line as origin, size, root or extension")
    if origin is not None and lines[0] != origin:
        raise Refused(f"checkpoint is not of {origin!r}")
    root = decode_base64(lines[2], "root hash of the checkpoint")
    if len(root) != 32:
        raise Refused("root hash of the checkpoint is not 32 bytes long")
    return Checkpoint(lines[0], decode_decimal(lines[1], "size of the checkpoint"), root)


@dataclass(frozen=True)
class TlogProof:
    """A proof file, taken apart and not yet verified."""

    has_extra: bool
    index: int
    path: list[bytes]
    note: bytes

    def verify(self, text: bytes, leaf: bytes, origin: str | None) -> Checkpoint:
        """The leaf is in the tree of the checkpoint, which is the text of the note."""
        checkpoint = parse_checkpoint(text, origin)
        verify_inclusion(self.index, checkpoint.size, leaf_hash(leaf), self.path, checkpoint.root)
        return checkpoint


def parse_tlog_proof(proof: bytes) -> TlogProof:
    """tlog-proof: header, extra data, index, hashes, an empty line, the signed checkpoint."""
    header, separator, note = proof.partition(b"\n\n")
    lines = decode_utf8(header, "proof").split("\n")
    if lines.pop(0) != "c2sp.org/tlog-proof@v1":
        raise Refused("proof begins with another line than c2sp.org/tlog-proof@v1")
    has_extra = bool(lines) and lines[0].startswith("extra ")
    if has_extra and not decode_base64(lines.pop(0).removeprefix("extra "), "extra of the proof"):
        raise Refused("extra data of the proof is empty")
    if not lines or not lines[0].startswith("index "):
        raise Refused("proof has no index line")
    index = decode_decimal(lines.pop(0).removeprefix("index "), "index of the proof")
    if not separator:
        raise Refused("proof has no empty line before its checkpoint")
    if len(lines) > MAX_PROOF_HASHES:
        raise Refused(f"proof has {len(lines)} hashes: at most {MAX_PROOF_HASHES}")
    path = [decode_base64(line, f"hash {number} of the proof")
            for number, line in enumerate(lines, 1)]
    if any(len(node) != 32 for node in path):
        raise Refused("a hash of the proof is not 32 bytes long")
    return TlogProof(has_extra, index, path, note)


def verify_cosignatures(note: bytes, keys: list[VerifierKey]) -> list[tuple[str, int]]:
    """tlog-cosignature: name and time of each known cosigner of a checkpoint; at least one."""
    signed = open_note(note, keys)
    parse_checkpoint(signed.text, None)
    found = [(key.name, cosignature_time(signature)) for key, signature in signed.signatures
             if key.type == SIGNATURE_COSIGNATURE]
    if not found:
        raise Refused("checkpoint has no trusted cosigner")
    return found


# ---- 9. Bundle: the archive ------------------------------------------------------------------

BUNDLE_FILES = ("manifest.dsse.json", "manifest.json", "meta.json", "proof_root.dsse.json",
                "score_proof.json")
BUNDLE_FURTHER = re.compile(r"inputs/[0-9a-f]{64}|chain/computation\.export"
                            r"|chain/seals/[0-9a-f]{64}\.json|anchors/[0-9a-f]{64}\.pem"
                            r"|anchors/log\.vkey", re.ASCII)
ZIP_FIXED = struct.pack("<HHHHH", 10, 0, 0, 0, 0x21)  # needed, flags, method, time, date
ZIP_MADE_BY = struct.pack("<H", 0x0314)
ZIP_EXTERNAL_ATTRIBUTES = 0x81A4_0000


def write_zip(files: dict[str, bytes]) -> bytes:
    """The one archive of some files, as section 9 lays it out."""
    local, central = bytearray(), bytearray()
    for name, data in sorted((name.encode("ascii"), data) for name, data in files.items()):
        offset = len(local)
        common = ZIP_FIXED + struct.pack("<IIIHH", zlib.crc32(data), len(data), len(data),
                                         len(name), 0)
        local += b"PK\x03\x04" + common + name + data
        central += b"PK\x01\x02" + ZIP_MADE_BY + common
        central += struct.pack("<HHHII", 0, 0, 0, ZIP_EXTERNAL_ATTRIBUTES, offset) + name
    end = b"PK\x05\x06" + struct.pack("<HHHHIIH", 0, 0, len(files), len(files), len(central),
                                      len(local), 0)
    return bytes(local + central + end)


def read_zip(archive: bytes) -> dict[str, bytes]:
    """The files of an archive that is its own only spelling.

    Reads the local entries from the front and compares the whole with what `write_zip` makes of
    them: so the directory, order, offsets, checksums and every fixed field are checked at once.
    """
    files: dict[str, bytes] = {}
    at = 0
    while archive[at:at + 4] == b"PK\x03\x04":
        if len(archive) - at < 30:
            raise Refused("archive ends within an entry")
        size, _, name_length, extra_length = struct.unpack_from("<IIHH", archive, at + 18)
        start = at + 30 + name_length + extra_length
        if start + size > len(archive):
            raise Refused("archive ends within an entry")
        name = archive[at + 30:at + 30 + name_length].decode("latin-1")
        check_entry_name(name)
        if name in files:
            raise Refused(f"archive has the entry {name} twice")
        files[name] = archive[start:start + size]
        at = start + size
    if write_zip(files) != archive:
        raise Refused("archive differs from its own serialisation")
    return files


def check_entry_name(name: str) -> None:
    """A relative path of 1 to 255 printable ASCII characters, no space and no backslash."""
    if not re.fullmatch(r"[!-\[\]-~]{1,255}", name) \
            or any(segment in ("", ".", "..") for segment in name.split("/")):
        raise Refused(f"archive has the name {name!r}, which is no plain path")


def read_bundle(archive: bytes) -> dict[str, bytes]:
    """The files of a bundle: the five, and those that it may have besides."""
    files = read_zip(archive)
    for name in BUNDLE_FILES:
        if name not in files:
            raise Refused(f"archive has no {name}")
    for name in files:
        if name not in BUNDLE_FILES and not BUNDLE_FURTHER.fullmatch(name):
            raise Refused(f"archive has the entry {name}, which no bundle has")
    return files


# ---- 9. Bundle: what is checked --------------------------------------------------------------

ALLOWED_CLOCK_DIFFERENCE_MS = 5 * 60 * 1000


def is_base64(value: Any, what: str) -> None:
    """Standard padded base64."""
    is_string(value, what)
    decode_base64(value, what)


def is_salt(value: Any, what: str) -> None:
    """Base64 of 32 bytes."""
    is_base64(value, what)
    if len(decode_base64(value, what)) != 32:
        raise Refused(f"{what} is not 32 bytes long")


def is_time(value: Any, what: str) -> None:
    """`YYYY-MM-DDTHH:MM:SS.sssZ`."""
    is_string(value, what)
    parse_time(value)


SEAL_EVENT = Shape({"header": is_base64, "payload": is_base64, "salt": is_salt}, {})

META = Shape(required={
    "schema": is_exactly("stella.bundle-meta/v1"),
    "proofBundleId": is_id,
    "manifestHash": is_id,
    "rootHash": is_id,
    "nodeCount": is_count,
    "scoreBps": is_integer,
    "engineVersion": is_uint32,
    "artifactDigest": is_id,
    "logOrigin": is_string,
    "scanId": is_scan_id,
    "sealedAt": is_time,
    "sealEvent": SEAL_EVENT,
    "tlogProof": is_string,
}, optional={})


def parse_meta(data: bytes) -> dict[str, Any]:
    """`meta.json`."""
    meta = parse_canonical(data, "meta.json")
    META(meta, "meta.json")
    return meta


@dataclass(frozen=True)
class Trust:
    """What the caller brings: nothing of it is taken from the bundle."""

    public_keys: list[PublicKey]
    log_keys: list[VerifierKey]
    threshold: int = 1
    origin: str | None = None
    time_unix_ms: int | None = None


class Skipped(Exception):
    """A check that was not made; the text says why."""


def signature_valid(files: dict[str, bytes], trust: Trust) -> None:
    """Both envelopes are in written form and signed by the caller's keys."""
    for name in ("manifest.dsse.json", "proof_root.dsse.json"):
        try:
            envelope = parse_written_envelope(files[name])
            signers = envelope.signers(trust.public_keys, check_key_ids=True)
            require_signers(signers, trust.threshold)
        except Refused as refusal:
            raise Refused(f"{name}: {refusal}") from None


def signed_root(files: dict[str, bytes]) -> str:
    """The root hash that `proof_root.dsse.json` states."""
    statement = parse_statement(parse_written_envelope(files["proof_root.dsse.json"]).payload)
    if statement["predicateType"] != "score-proof.stella/v1":
        raise Refused("proof_root.dsse.json states no score")
    return statement["predicate"]["rootHash"]


def id_recomputed(files: dict[str, bytes], trust: Trust) -> None:
    """Manifest, nodes, statements, meta.json and the names of inputs agree, recomputed."""
    del trust
    manifest, manifest_hash = parse_manifest(files["manifest.json"]), id_of(files["manifest.json"])
    proof, root_hash = parse_score_proof(files["score_proof.json"]), signed_root(files)
    meta = parse_meta(files["meta.json"])
    facts = {
        "engineVersion": manifest["engineVersion"],
        "manifestHash": manifest_hash,
        "nodeCount": len(proof.nodes),
        "rootHash": root_hash,
        "scoreBps": proof.score_bps(),
    }
    for file, expected in (
        ("manifest.dsse.json", expected_statement(manifest, "scan-manifest.stella/v1", manifest)),
        ("proof_root.dsse.json", expected_statement(
            manifest, "score-proof.stella/v1", facts | {"logOrigin": meta["logOrigin"]})),
    ):
        if parse_written_envelope(files[file]).payload != expected:
            raise Refused(f"{file} states something else than the other files say")
    facts |= {"artifactDigest": manifest["artifactDigest"], "proofBundleId": root_hash}
    for name, value in facts.items():
        if meta[name] != value:
            raise Refused(f"{name} of meta.json is not what the other files say")
    check_inputs(files, manifest)
    check_anchors(files)


def check_inputs(files: dict[str, bytes], manifest: dict[str, Any]) -> None:
    """The inputs, if any, are named by their bytes, and are the manifest's: all, and no others."""
    carried = {name.removeprefix("inputs/"): data for name, data in files.items()
               if name.startswith("inputs/")}
    for name, data in carried.items():
        if name != sha256(data).hex():
            raise Refused(f"inputs/{name} is not named by the hash of its bytes")
    if not carried:
        return
    used = set()
    for member in ("sbomDigest", "latticePolicyHash", "reachabilityDigest"):
        if member in manifest:
            used.add(manifest[member].removeprefix("sha256:"))
    for member in ("concelierSnapshotHash", "excititorSnapshotHash"):
        found = [name for name, data in carried.items()
                 if snapshot_of_records(data) == manifest[member]]
        if not found:
            raise Refused(f"inputs lack the records of {member}")
        read_records(carried[found[0]])
        used.add(found[0])
    if used != carried.keys():
        raise Refused("inputs are not all of the manifest's, and no others")


def check_anchors(files: dict[str, bytes]) -> None:
    """Keys carried for information are keys, each in its one spelling and under its own name."""
    for name, data in files.items():
        if name == "anchors/log.vkey":
            text = decode_utf8(data, name)
            if not text.endswith("\n"):
                raise Refused(f"{name} does not end with a line end")
            parse_vkey(text[:-1])
        elif name.startswith("anchors/"):
            key = load_public_key(decode_utf8(data, name))
            if name != f"anchors/{key.key_id}.pem" or data != key.pem():
                raise Refused(f"{name} is not that key in its one spelling, named by its id")


def merkle_path_valid(files: dict[str, bytes], trust: Trust) -> None:
    """The nodes, in emission order from the one that names the manifest, have the signed root."""
    del trust
    proof = parse_score_proof(files["score_proof.json"])
    if "sha256:" + proof.root.hex() != signed_root(files):
        raise Refused("root over the nodes is not the signed one")
    check_order(proof, id_of(files["manifest.json"]))


def open_seal(event: dict[str, str], meta: dict[str, Any]
              ) -> tuple[dict[str, bytes], EventHeader, dict[str, Any]]:
    """A seal event of the bundle's scan and log: its parts, its header, its payload."""
    seal = {name: decode_base64(text, name) for name, text in event.items()}
    header = parse_event_header(seal["header"])
    if (header.type, header.stream) != ("root.sealed", f"scan/{meta['scanId']}"):
        raise Refused("seal event is not the sealing of a root of this scan")
    if header.log_origin != meta["logOrigin"]:
        raise Refused("seal event is of another log")
    if header.payload_commitment != sha256(seal["salt"], seal["payload"]):
        raise Refused("payload commitment of the seal event is not that of its payload")
    payload = parse_canonical(seal["payload"], "payload of the seal event")
    ROOT_SEALED(payload, "payload of the seal event")
    return seal, header, payload


def log_inclusion(files: dict[str, bytes], trust: Trust) -> None:
    """The seal event says what meta.json does and is a leaf of the log; skipped without its key."""
    meta = parse_meta(files["meta.json"])
    seal, header, payload = open_seal(meta["sealEvent"], meta)
    if trust.origin not in (None, header.log_origin):
        raise Refused("seal event is of another log")
    for name in payload.keys() & meta.keys() - {"schema"}:
        if payload[name] != meta[name]:
            raise Refused(f"seal event and meta.json differ in {name}")
    proof = parse_tlog_proof(meta["tlogProof"].encode("utf-8"))
    if proof.has_extra:
        raise Refused("tlogProof has extra data, which nothing authenticates")
    text, _ = parse_note(proof.note)
    proof.verify(text, seal["header"], meta["logOrigin"])
    if payload["firstLeaf"] + payload["nodeCount"] > proof.index:
        raise Refused("seal event stands before a node that it seals")
    if not trust.log_keys:
        raise Skipped("no log key was given; nothing in the seal event contradicts the bundle")
    open_log_note(proof.note, trust.log_keys)


def open_log_note(note: bytes, keys: list[VerifierKey]) -> Signed:
    """A note that a key of the log signed; cosigners alone do not suffice."""
    signed = open_note(note, keys)
    if all(key.type == SIGNATURE_COSIGNATURE for key, _ in signed.signatures):
        raise Refused("cosigners signed the checkpoint, but no key of the log did")
    return signed


def timestamp_valid(files: dict[str, bytes], trust: Trust) -> None:
    """`sealedAt` is the seal event's time, and not in the future of the caller."""
    meta = parse_meta(files["meta.json"])
    header = parse_event_header(decode_base64(meta["sealEvent"]["header"], "header"))
    if meta["sealedAt"] != format_time(header.time_unix_ms):
        raise Refused("sealedAt is not the time of the seal event")
    if trust.time_unix_ms is not None \
            and header.time_unix_ms > trust.time_unix_ms + ALLOWED_CLOCK_DIFFERENCE_MS:
        raise Refused("bundle was sealed in the future")
    try:
        log_inclusion(files, trust)
    except (Refused, Skipped) as reason:
        raise Skipped(f"time is trusted only with log inclusion: {reason}") from None


def rekor_inclusion(files: dict[str, bytes], trust: Trust) -> None:
    """No format of an external log's proof is defined yet."""
    del files, trust
    raise Skipped("bundle carries no proof of an external log")


CHAIN_SEAL = Shape({
    "consistencyProof": is_array_of(is_base64),
    "schema": is_exactly("stella.chain-seal/v1"),
    "sealEvent": SEAL_EVENT,
    "tlogProof": is_string,
}, {})


def chain_valid(files: dict[str, bytes], trust: Trust) -> None:
    """The log has every node of the computation, and the other seals are of this scan."""
    chain = [name for name in files if name.startswith("chain/")]
    if not chain:
        raise Skipped("bundle carries no chain")
    try:
        meta = parse_meta(files["meta.json"])
        proof = parse_score_proof(files["score_proof.json"])
        tlog_proof = parse_tlog_proof(meta["tlogProof"].encode("utf-8"))
        checkpoint = parse_checkpoint(parse_note(tlog_proof.note)[0], meta["logOrigin"])
        seal, _, payload = open_seal(meta["sealEvent"], meta)
    except Refused as refusal:
        raise Skipped(f"other files cannot be read: {refusal}") from None
    if "chain/computation.export" not in files:
        raise Refused("chain has no computation.export")
    for name in chain:
        try:
            if name == "chain/computation.export":
                check_computation(files[name], meta, payload, seal["header"], proof, tlog_proof)
            else:
                check_other_seal(name, files[name], meta, checkpoint, trust)
        except Refused as refusal:
            raise Refused(f"{name}: {refusal}") from None
    if not trust.log_keys:
        raise Skipped("no log key was given; nothing in the chain contradicts the bundle")


def check_computation(export: bytes, meta: dict[str, Any], sealed: dict[str, Any], seal: bytes,
                      proof: ScoreProof, tlog_proof: TlogProof) -> None:
    """The export is of the leaves from the first node to the seal, its rule events are the nodes."""
    manifest = bytes.fromhex(meta["manifestHash"].removeprefix("sha256:"))
    stream, met, last = f"computation/{manifest.hex()}", 0, b""

    def visit(index: int, leaf: bytes, header: EventHeader, payload: bytes | None) -> None:
        nonlocal met, last
        last = leaf
        if header.stream != stream:
            return
        if header.type != "rule.applied" or header.position != met or payload is None:
            raise Refused(f"leaf {index} is not node {met}")
        rule = parse_rule_applied(payload)
        if (rule.computation, rule.sequence) != (manifest, met) or met >= len(proof.leaves) \
                or rule.node != proof.leaves[met]:
            raise Refused(f"leaf {index} is not node {met}")
        met += 1

    verified = verify_export(io.BytesIO(export), None, visit, closing=tlog_proof.note)
    if (verified["from"], verified["to"]) != (sealed["firstLeaf"], tlog_proof.index + 1) \
            or last != seal:
        raise Refused("it does not reach from the first node to the seal")
    if met != len(proof.leaves):
        raise Refused(f"it has {met} of {len(proof.leaves)} nodes")


def check_other_seal(name: str, data: bytes, meta: dict[str, Any], own: Checkpoint,
                     trust: Trust) -> None:
    """Another root of the scan, sealed in a tree that continues the bundle's or is its beginning."""
    other = parse_canonical(data, "seal")
    CHAIN_SEAL(other, "seal")
    seal, _, payload = open_seal(other["sealEvent"], meta)
    if payload["scanId"] != meta["scanId"] or payload["rootHash"] == meta["rootHash"]:
        raise Refused("it is not another root of this scan")
    if name != f"chain/seals/{payload['rootHash'].removeprefix('sha256:')}.json":
        raise Refused("it is not named by its root")
    proof = parse_tlog_proof(other["tlogProof"].encode("utf-8"))
    if proof.has_extra:
        raise Refused("tlogProof has extra data, which nothing authenticates")
    text, _ = parse_note(proof.note)
    if trust.log_keys:
        open_log_note(proof.note, trust.log_keys)
    theirs = proof.verify(text, seal["header"], meta["logOrigin"])
    old, new = sorted((theirs, own), key=lambda checkpoint: checkpoint.size)
    verify_consistency(old.size, new.size, old.root, new.root,
                       decode_hashes(other["consistencyProof"], MAX_PROOF_HASHES))


CHECKS: dict[str, Callable[[dict[str, bytes], Trust], None]] = {
    "signatureValid": signature_valid,
    "idRecomputed": id_recomputed,
    "merklePathValid": merkle_path_valid,
    "timestampValid": timestamp_valid,
    "logInclusion": log_inclusion,
    "rekorInclusion": rekor_inclusion,
    "chainValid": chain_valid,
}


def verify_bundle(archive: bytes, trust: Trust) -> dict[str, Any]:
    """The report: each check passed, failed or skipped; verified when none failed.

    An archive that cannot be read fails `idRecomputed`, and the other checks are skipped.
    """
    checks: dict[str, dict[str, str]] = {}
    try:
        files = read_bundle(archive)
    except Refused as refusal:
        checks = {name: {"status": "skipped", "message": "archive cannot be read"}
                  for name in CHECKS}
        checks["idRecomputed"] = {"status": "fail", "message": str(refusal)}
        return {"verified": False, "checks": checks}
    for name, check in CHECKS.items():
        try:
            check(files, trust)
            checks[name] = {"status": "pass"}
        except Refused as refusal:
            checks[name] = {"status": "fail", "message": str(refusal)}
        except Skipped as skipped:
            checks[name] = {"status": "skipped", "message": str(skipped)}
    verified = all(check["status"] != "fail" for check in checks.values())
    return {"verified": verified, "checks": checks}


# ---- 9.1 Audit exports -----------------------------------------------------------------------

EXPORT_MAGIC = b"stella.audit-export/v1\n"
TILE_WIDTH = 256
MAX_LEAF_BYTES = 8192
MAX_PAYLOAD_BYTES = 1024 * 1024
MAX_PROOF_HASHES = 63
MAX_EXPORT_HEADER_BYTES = 12_000_000 + 64 * 1024
WITHHELD, PRESENT, ERASED = 0, 1, 2

EXPORT_HEADER = Shape({
    "closing": is_string,
    "consistencyProof": is_array_of(is_base64),
    "from": is_count,
    "rangeProof": is_array_of(is_base64),
    "schema": is_exactly("stella.audit-export/v1"),
    "to": is_count,
}, {"opening": is_string})

# What is told of each event: index, leaf, header, and the payload where it is there.
VisitEvent = Callable[[int, bytes, EventHeader, "bytes | None"], None]


def decode_hashes(texts: list[str], limit: int) -> list[bytes]:
    """Hashes of a proof, from base64."""
    found = [decode_base64(text, "hash of a proof") for text in texts]
    if len(found) > limit or any(len(item) != 32 for item in found):
        raise Refused("proof is not as many hashes of 32 bytes as it may have")
    return found


class Bytes:
    """A file that must have what is asked of it."""

    def __init__(self, file: BinaryIO) -> None:
        self.file = file

    def take(self, count: int) -> bytes:
        """Exactly that many bytes."""
        data = self.file.read(count)
        if len(data) != count:
            raise Refused("export ends too early")
        return data

    def number(self, count: int, limit: int, what: str) -> int:
        """A big-endian number that is not above a limit."""
        value = int.from_bytes(self.take(count), "big")
        if value > limit:
            raise Refused(f"{what} is larger than it may be")
        return value


class RangeTree:
    """Grows a tree from the hashes left of a range, leaf by leaf: complete subtrees, by size."""

    def __init__(self, start: int, left: list[bytes]) -> None:
        sizes = [leaves for _, leaves in cover(0, start)]
        if len(left) < len(sizes):
            raise Refused("range proof is too short")
        self.size = start
        self.subtrees = list(zip(sizes, left))
        self.right = left[len(sizes):]

    def push(self, leaves: int, value: bytes) -> None:
        """Appends a complete subtree."""
        self.size += leaves
        while self.subtrees and self.subtrees[-1][0] == leaves:
            value = node_hash(self.subtrees.pop()[1], value)
            leaves *= 2
        self.subtrees.append((leaves, value))

    def finish(self, size: int) -> bytes:
        """The root of the whole tree, with the hashes right of the range."""
        sizes = [leaves for _, leaves in cover(self.size, size)]
        if len(sizes) != len(self.right):
            raise Refused("range proof is too short or too long")
        for leaves, value in zip(sizes, self.right):
            self.push(leaves, value)
        root: bytes | None = None
        for _, value in reversed(self.subtrees):
            root = value if root is None else node_hash(value, root)
        return EMPTY_ROOT if root is None else root


def judge_checkpoint(note: str, keys: list[VerifierKey] | None, origin: str | None,
                     closing: bytes | None) -> Checkpoint:
    """A checkpoint of an export: signed by the log, or the very one that is expected."""
    data = note.encode("utf-8")
    if keys is None:
        if data != closing:
            raise Refused("checkpoint of the export is not the one expected")
        return parse_checkpoint(parse_note(data)[0], origin)
    return parse_checkpoint(open_log_note(data, keys).text, origin)


def verify_export(file: BinaryIO, keys: list[VerifierKey] | None, visit: VisitEvent | None = None,
                  *, origin: str | None = None, closing: bytes | None = None) -> dict[str, Any]:
    """Verifies an audit export while it is read; what is kept does not grow with it.

    Checkpoints must be signed by one of `keys`; with None, the closing one must be `closing`, and
    there must be no opening one.
    """
    source = Bytes(file)
    if source.take(len(EXPORT_MAGIC)) != EXPORT_MAGIC:
        raise Refused("not an audit export")
    length = source.number(4, MAX_EXPORT_HEADER_BYTES, "header of the export")
    header = parse_canonical(source.take(length), "header of the export")
    EXPORT_HEADER(header, "header of the export")
    start, end = header["from"], header["to"]
    later = judge_checkpoint(header["closing"], keys, origin, closing)
    opening_size, opening_root = 0, EMPTY_ROOT
    if "opening" in header:
        if keys is None:
            raise Refused("export has an opening checkpoint, which nobody judged")
        earlier = judge_checkpoint(header["opening"], keys, later.origin, None)
        opening_size, opening_root = earlier.size, earlier.root
    if not opening_size <= start < end <= later.size:
        raise Refused("range is empty or not between the two checkpoints")
    verify_consistency(opening_size, later.size, opening_root, later.root,
                       decode_hashes(header["consistencyProof"], MAX_PROOF_HASHES))
    tree = RangeTree(start, decode_hashes(header["rangeProof"], 2 * MAX_PROOF_HASHES))
    counts = {WITHHELD: 0, PRESENT: 0, ERASED: 0}
    last_time = 0
    while tree.size < end:
        for leaf in read_entries(source, min(end, (tree.size // TILE_WIDTH + 1) * TILE_WIDTH)
                                 - tree.size):
            index, event = tree.size, parse_event_header(leaf)
            if event.log_origin != later.origin:
                raise Refused(f"leaf {index} is an event of another log")
            if event.time_unix_ms < last_time:
                raise Refused(f"leaf {index} is earlier than the leaf before it")
            last_time = event.time_unix_ms
            state, payload = read_payload(source, event)
            counts[state] += 1
            tree.push(1, leaf_hash(leaf))
            if visit:
                visit(index, leaf, event, payload)
    if source.file.read(1):
        raise Refused("bytes follow the last event of the export")
    if tree.finish(later.size) != later.root:
        raise Refused("leaves are not exactly those of the closing checkpoint's tree")
    return {"origin": later.origin, "from": start, "to": end, "treeSize": later.size,
            "rootHash": encode_base64(later.root), "present": counts[PRESENT],
            "erased": counts[ERASED], "withheld": counts[WITHHELD]}


def read_entries(source: Bytes, count: int) -> list[bytes]:
    """An entry bundle of exactly that many leaves, behind its length."""
    length = source.number(4, TILE_WIDTH * (2 + MAX_LEAF_BYTES), "entry bundle")
    data, leaves, at = source.take(length), [], 0
    for _ in range(count):
        size = int.from_bytes(data[at:at + 2], "big")
        if at + 2 + size > len(data):
            raise Refused("entry bundle ends within an entry")
        leaves.append(data[at + 2:at + 2 + size])
        at += 2 + size
    if at != len(data):
        raise Refused("bytes follow the last entry of an entry bundle")
    return leaves


def read_payload(source: Bytes, event: EventHeader) -> tuple[int, bytes | None]:
    """What the export says of an event's payload; one that is there must be the committed one."""
    state = source.number(1, 255, "state")
    if state == PRESENT:
        salt = source.take(32)
        payload = source.take(source.number(4, MAX_PAYLOAD_BYTES, "payload"))
        if sha256(salt, payload) != event.payload_commitment:
            raise Refused("payload is not the one that its leaf commits to")
        return state, payload
    if state == ERASED:
        source.take(8)
    elif state != WITHHELD:
        raise Refused("payload is neither there nor erased nor withheld")
    return state, None


# ---- 4. Payloads of events -------------------------------------------------------------------


def of_schema(name: str, required: dict[str, Check], optional: dict[str, Check] | None = None
              ) -> Shape:
    """The payload of that schema."""
    return Shape({"schema": is_exactly(f"stella.{name}/v1"), **required}, optional or {})


def is_principal(value: Any, what: str) -> None:
    """Who called: a kind, and a name unless the kind is `unknown`."""
    known = Shape({"kind": is_one_of("api-key", "certificate", "jwt", "local", "token"),
                   "subject": is_string}, {})
    unknown = Shape({"kind": is_exactly("unknown")}, {})
    is_object(value, what)
    (unknown if value.get("kind") == "unknown" else known)(value, what)


def is_job_result(value: Any, what: str) -> None:
    """What became of one scan of a batch."""
    replayed = Shape({"scanId": is_string, "status": is_one_of("computed", "verified", "unchanged"),
                      "rootHash": is_id, "beforeBps": is_integer, "afterBps": is_integer}, {})
    failed = Shape({"scanId": is_string, "status": is_exactly("failed"), "code": is_string,
                    "message": is_string}, {})
    is_object(value, what)
    (failed if value.get("status") == "failed" else replayed)(value, what)


def is_use_keys(value: Any, what: str) -> None:
    """Base64 of a set of use keys: 8 bytes each, ascending."""
    is_base64(value, what)
    data = decode_base64(value, what)
    keys = [data[at:at + 8] for at in range(0, len(data), 8)]
    if any(len(key) != 8 for key in keys) or any(a >= b for a, b in zip(keys, keys[1:])):
        raise Refused(f"{what} is no set of use keys")


def is_leaves(value: Any, what: str) -> None:
    """Leaf indexes, ascending, at least one."""
    is_array_of(is_count)(value, what)
    if not value or any(a >= b for a, b in zip(value, value[1:])):
        raise Refused(f"{what} is empty or not ascending")


SNAPSHOT_KIND = is_one_of("concelier", "excititor")
SIGNATURES = is_array_of(Shape({"keyid": is_string, "sig": is_base64}, {}))
REPLAYED_SNAPSHOTS = Shape({"concelier": is_id, "excititor": is_id, "touched": is_id}, {})
ADMIN_ACT = of_schema("admin-act", {"method": is_string, "principal": is_principal,
                                    "requestId": is_string, "scope": is_string,
                                    "target": is_string})

# What a payload of each type looks like; what its members say of each other is below.
PAYLOADS: dict[str, Shape] = {
    "snapshot.imported": of_schema("snapshot-imported", {
        "snapshot": is_id, "kind": SNAPSHOT_KIND, "count": is_count, "root": is_id,
        "header": SNAPSHOT_HEADER, "records": is_id}),
    "snapshot.published": of_schema("snapshot-published",
                                    {"snapshot": is_id, "kind": SNAPSHOT_KIND}),
    "snapshot.removed": of_schema("snapshot-removed", {"snapshot": is_id, "kind": SNAPSHOT_KIND}),
    "policy.registered": of_schema("policy-registered", {"policy": is_id, "blob": is_id}),
    "policy.published": of_schema("policy-published", {"policy": is_id}),
    "scan.requested": of_schema("scan-requested", {
        "scanId": is_scan_id, "manifestHash": is_id, "existing": is_boolean}),
    "manifest.registered": of_schema("manifest-registered", {
        "scanId": is_scan_id, "manifestHash": is_id, "manifest": MANIFEST}),
    "root.sealed": ROOT_SEALED,
    "proof.signed": of_schema("proof-signed", {
        "scanId": is_scan_id, "manifestHash": is_id, "rootHash": is_id,
        "manifestSignatures": SIGNATURES, "rootSignatures": SIGNATURES,
        "publicKeys": is_array_of(is_base64)}),
    "scan.footprint": of_schema("scan-footprint", {
        "scanId": is_scan_id, "manifestHash": is_id, "uses": is_use_keys}),
    "score.replayed": of_schema("score-replayed", {
        "scanId": is_scan_id, "manifestHash": is_id, "rootHash": is_id, "equal": is_boolean},
        {"firstDifference": is_uint32, "snapshots": REPLAYED_SNAPSHOTS}),
    "job.started": of_schema("job-started", {
        "job": is_string, "asked": is_id, "scans": is_id, "count": is_uint32,
        "recompute": is_boolean, "concurrency": is_uint32},
        {"concelier": is_id, "excititor": is_id, "policy": is_id}),
    "job.progress": of_schema("job-progress", {
        "job": is_string, "results": is_array_of(is_job_result)}),
    "job.cancelled": of_schema("job-cancelled", {"job": is_string}),
    "job.ended": of_schema("job-ended", {"job": is_string, "cancelled": is_boolean}),
    "request.answered": of_schema("request-answered", {"method": is_string, "subject": is_string}),
    "access.denied": of_schema("access-denied", {
        "count": is_count, "first": is_time, "last": is_time, "method": is_string,
        "principal": is_principal, "reason": is_string, "requestId": is_string},
        {"scope": is_string, "tenant": is_string, "why": is_string}),
    "admin.rebuild": ADMIN_ACT,
    "admin.cancel-rebuild": ADMIN_ACT,
    "admin.remove-snapshot": ADMIN_ACT,
    "payload.erased": of_schema("payload-erased", {"leaves": is_leaves, "reason": is_string}),
}


def check_payload(event_type: str, data: bytes) -> None:
    """Refuses what is not the payload of an event of this type."""
    shape = PAYLOADS.get(event_type)
    if shape is None:
        raise Refused(f"no JSON payloads of type {event_type!r} are defined")
    payload = parse_canonical(data, "payload")
    shape(payload, "payload")
    if event_type == "snapshot.imported":
        header = payload["header"]
        repeated = all(payload[name] == header[name] for name in ("kind", "count", "root"))
        if not repeated or payload["snapshot"] != id_of(canonical_json(header)):
            raise Refused("payload says something else than its header")
    elif event_type == "manifest.registered":
        if payload["manifestHash"] != id_of(canonical_json(payload["manifest"])):
            raise Refused("payload.manifestHash is not the hash of its manifest")
    elif event_type == "access.denied":
        if payload["count"] == 0 or parse_time(payload["last"]) < parse_time(payload["first"]):
            raise Refused("payload stands for no call, or for one before the first")
    elif event_type == "proof.signed":
        check_signed_proof(payload)


def check_signed_proof(payload: dict[str, Any]) -> None:
    """Keys ascend by their ids; each signed both envelopes, in that order."""
    ders = [decode_base64(text, "public key") for text in payload["publicKeys"]]
    ids = [load_public_key_der(der).key_id for der in ders]
    if not ids or ids != [sha256(der).hex() for der in ders] or sorted(set(ids)) != ids:
        raise Refused("payload.publicKeys is empty, not ascending, or not in DER")
    for name in ("manifestSignatures", "rootSignatures"):
        made = [signature["keyid"] for signature in payload[name]]
        if made != ids or len(made) > MAX_ENVELOPE_SIGNATURES:
            raise Refused(f"payload.{name} is not one by each key")


# ---- Cases: the contract of `stella check` ---------------------------------------------------


class Case:
    """A line of JSON whose members are taken by name and type; a wrong type makes it malformed."""

    def __init__(self, line: bytes, folder: Path) -> None:
        self.folder = folder
        try:
            members = parse_json(line, "case", fractions=True, largest=U64_MAX)
        except Refused as error:
            raise Malformed(str(error)) from None
        if not isinstance(members, dict):
            raise Malformed("case is no object")
        self.members: dict[str, Any] = members

    def has(self, name: str) -> bool:
        """Whether the member is there at all."""
        return name in self.members

    def text(self, name: str) -> str:
        """A string."""
        return self._text(self.members.get(name), name)

    def texts(self, name: str) -> list[str]:
        """An array of strings."""
        return [self._text(item, name) for item in self._items(name)]

    def bytes(self, name: str) -> bytes:
        """Base64, or hex behind `hex:`."""
        return self._bytes(self.members.get(name), name)

    def byte_strings(self, name: str) -> list[bytes]:
        """An array of byte strings."""
        return [self._bytes(item, name) for item in self._items(name)]

    def number(self, name: str) -> int:
        """An unsigned integer of 64 bits, as a number or as decimal digits."""
        value = self.members.get(name)
        if isinstance(value, str):
            try:
                return decode_decimal(value, name)
            except Refused as error:
                raise Malformed(str(error)) from None
        if type(value) is not int or not 0 <= value <= U64_MAX:
            raise Malformed(f"{name} is no unsigned integer of 64 bits")
        return value

    def origin(self) -> str | None:
        """The optional origin that a checkpoint must have."""
        return self.text("origin") if self.has("origin") else None

    def threshold(self) -> int:
        """How many distinct keys must have signed: 1 where nothing is said."""
        threshold = self.number("threshold") if self.has("threshold") else 1
        if threshold == 0:
            raise Malformed("threshold is 0")
        return threshold

    def envelope(self) -> bytes:
        """`envelope` as an object, as JSON text, or as bytes."""
        value = self.members.get("envelope")
        if isinstance(value, dict):
            return json.dumps(value).encode("utf-8")
        if isinstance(value, str) and value.lstrip().startswith("{"):
            return value.encode("utf-8")
        return self.bytes("envelope")

    def archive(self, name: str = "bundle") -> bytes:
        """The bytes of that name; or the file at `path`, relative to the folder."""
        if not self.has("path"):
            return self.bytes(name)
        try:
            return (self.folder / self.text("path")).read_bytes()
        except (OSError, ValueError) as error:
            raise Malformed(f"path cannot be read: {error}") from None

    def time(self) -> int | None:
        """The caller's time, where it is given."""
        if not self.has("time"):
            return None
        try:
            return parse_time(self.text("time"))
        except Refused as error:
            raise Malformed(str(error)) from None

    def verifier_keys(self) -> list[VerifierKey]:
        """`vkeys`, an array of verifier keys in text."""
        return [parse_vkey(text) for text in self.texts("vkeys")]

    def public_keys(self) -> list[PublicKey]:
        """`publicKeysPem`, an array of PEM texts."""
        return [load_public_key(text) for text in self.texts("publicKeysPem")]

    def _items(self, name: str) -> list[Any]:
        if name in self.members and self.members[name] is None:
            return []
        value = self.members.get(name)
        if not isinstance(value, list):
            raise Malformed(f"{name} is no array")
        return value

    @staticmethod
    def _text(value: Any, name: str) -> str:
        if not isinstance(value, str):
            raise Malformed(f"{name} is no string")
        return value

    @classmethod
    def _bytes(cls, value: Any, name: str) -> bytes:
        text = cls._text(value, name)
        if re.fullmatch(r"hex:(?:[0-9A-Fa-f]{2})*", text, re.ASCII):
            return bytes.fromhex(text[4:])
        try:
            return decode_foreign_base64(text, name)
        except Refused:
            raise Malformed(f"{name} is neither base64 nor hex:") from None


def as_hash(data: bytes, name: str) -> bytes:
    """32 bytes; another length is refused, and does not make the case malformed."""
    if len(data) != 32:
        raise Refused(f"{name} is {len(data)} bytes long, not 32 bytes")
    return data


def as_hashes(items: list[bytes], name: str) -> list[bytes]:
    """Byte strings of 32 bytes each."""
    return [as_hash(item, name) for item in items]


Result = dict[str, Any]


def check_inclusion(case: Case) -> Result:
    """{leafIndex, treeSize, leafHash, rootHash, proof[]}"""
    index, size = case.number("leafIndex"), case.number("treeSize")
    leaf, root, proof = case.bytes("leafHash"), case.bytes("rootHash"), case.byte_strings("proof")
    verify_inclusion(index, size, as_hash(leaf, "leafHash"), as_hashes(proof, "proof"),
                     as_hash(root, "rootHash"))
    return {}


def check_consistency(case: Case) -> Result:
    """{size1, size2, root1, root2, proof[]}"""
    size1, size2 = case.number("size1"), case.number("size2")
    root1, root2, proof = case.bytes("root1"), case.bytes("root2"), case.byte_strings("proof")
    verify_consistency(size1, size2, as_hash(root1, "root1"), as_hash(root2, "root2"),
                       as_hashes(proof, "proof"))
    return {}


def check_root(case: Case) -> Result:
    """{leaves[]} -> {rootHash}"""
    root = merkle_root(leaf_hash(leaf) for leaf in case.byte_strings("leaves"))
    return {"rootHash": encode_base64(root)}


def check_range(case: Case) -> Result:
    """{start, treeSize, rootHash, leafHashes[], proof[]}"""
    start, size, root = case.number("start"), case.number("treeSize"), case.bytes("rootHash")
    leaves, proof = case.byte_strings("leafHashes"), case.byte_strings("proof")
    verify_range(start, size, as_hashes(leaves, "leafHashes"), as_hashes(proof, "proof"),
                 as_hash(root, "rootHash"))
    return {}


def check_event(case: Case) -> Result:
    """{leaf} -> what the header says, and its leaf hash"""
    leaf = case.bytes("leaf")
    header = parse_event_header(leaf)
    return {
        "logOrigin": header.log_origin, "stream": header.stream, "position": str(header.position),
        "time": str(header.time_unix_ms), "actor": header.actor, "type": header.type,
        "payloadCommitment": "sha256:" + header.payload_commitment.hex(),
        "leafHash": "sha256:" + leaf_hash(leaf).hex(),
    }


def check_event_payload(case: Case) -> Result:
    """{type, payload} -> {}: whether an event of that type may have that payload"""
    event_type, payload = case.text("type"), case.bytes("payload")
    check_payload(event_type, payload)
    return {}


def check_rule_applied(case: Case) -> Result:
    """{payload} -> {computation, sequence, nodeId}"""
    applied = parse_rule_applied(case.bytes("payload"))
    return {"computation": "sha256:" + applied.computation.hex(),
            "sequence": str(applied.sequence), "nodeId": id_of(applied.node)}


def check_manifest(case: Case) -> Result:
    """{input} -> {manifestHash}"""
    data = case.bytes("input")
    parse_manifest(data)
    return {"manifestHash": id_of(data)}


def check_node(case: Case) -> Result:
    """{input} -> {nodeId}"""
    return {"nodeId": parse_node(case.bytes("input"))}


def check_score_proof(case: Case) -> Result:
    """{input, manifestHash?} -> {rootHash, nodeCount, scoreBps}; with the hash, the order too"""
    proof = parse_score_proof(case.bytes("input"))
    if case.has("manifestHash"):
        is_id(case.text("manifestHash"), "manifestHash")
        check_order(proof, case.text("manifestHash"))
    return {"rootHash": "sha256:" + proof.root.hex(), "nodeCount": str(len(proof.nodes)),
            "scoreBps": str(proof.score_bps())}


def check_snapshot_header(case: Case) -> Result:
    """{input} -> {snapshotHash}"""
    return {"snapshotHash": parse_snapshot_header(case.bytes("input"))}


def check_snapshot_row(case: Case) -> Result:
    """{input} -> {leafHash}"""
    return {"leafHash": "sha256:" + parse_snapshot_row(case.bytes("input")).hex()}


def check_note(case: Case) -> Result:
    """{note, vkeys[]} -> {text, signers[]}"""
    signed = open_note(case.bytes("note"), case.verifier_keys())
    return {"text": encode_base64(signed.text), "signers": signed.signers()}


def check_checkpoint(case: Case) -> Result:
    """{note, vkeys[], origin?} -> {origin, treeSize, rootHash, signers[]}"""
    note, origin, keys = case.bytes("note"), case.origin(), case.verifier_keys()
    signed = open_note(note, keys)
    checkpoint = parse_checkpoint(signed.text, origin)
    return {"origin": checkpoint.origin, "treeSize": checkpoint.size,
            "rootHash": encode_base64(checkpoint.root), "signers": signed.signers()}


def check_cosignature(case: Case) -> Result:
    """{note, vkeys[]} -> {cosignatures[]}"""
    found = verify_cosignatures(case.bytes("note"), case.verifier_keys())
    return {"cosignatures": [{"name": name, "time": time} for name, time in found]}


def check_tlog_proof(case: Case) -> Result:
    """{proof, leaf, vkeys[], origin?} -> {leafIndex, treeSize, rootHash, origin}"""
    data, leaf, keys, origin = (case.bytes("proof"), case.bytes("leaf"), case.verifier_keys(),
                                case.origin())
    proof = parse_tlog_proof(data)
    checkpoint = proof.verify(open_note(proof.note, keys).text, leaf, origin)
    return {"leafIndex": proof.index, "treeSize": checkpoint.size, "origin": checkpoint.origin,
            "rootHash": encode_base64(checkpoint.root)}


def check_ed25519(case: Case) -> Result:
    """{publicKey, message, signature}"""
    key, message, signature = (case.bytes("publicKey"), case.bytes("message"),
                               case.bytes("signature"))
    if not is_usable_point(key):
        raise Refused("key is no usable Ed25519 key of 32 bytes")
    if not verify_ed25519(key, signature, message):
        raise Refused("signature does not verify")
    return {}


def check_jcs(case: Case) -> Result:
    """{input} -> {output}: the canonical form of any strict JSON, doubles included"""
    value = parse_json(case.bytes("input"), "input", fractions=True)
    return {"output": encode_base64(canonical_json(value, "input"))}


def check_signature(case: Case) -> Result:
    """{publicKeyPem, message, signature} -> {algorithm, keyId}"""
    message, signature = case.bytes("message"), case.bytes("signature")
    key = load_public_key(case.text("publicKeyPem"))
    if not key.verifies(signature, message):
        raise Refused("signature does not verify")
    return {"algorithm": key.algorithm, "keyId": key.key_id}


def check_dsse(case: Case) -> Result:
    """{envelope, publicKeysPem[], threshold?} -> {payloadType, payload, keys[]}"""
    data, threshold, keys = case.envelope(), case.threshold(), case.public_keys()
    envelope = parse_envelope(data)
    signers = envelope.signers(keys)
    require_signers(signers, threshold)
    return {"payloadType": envelope.payload_type, "payload": encode_base64(envelope.payload),
            "keys": signers}


def check_statement(case: Case) -> Result:
    """{input} -> {predicateType}"""
    return {"predicateType": parse_statement(case.bytes("input"))["predicateType"]}


def check_zip(case: Case) -> Result:
    """{input} -> {names[]}"""
    return {"names": list(read_zip(case.bytes("input")))}


def check_export(case: Case) -> Result:
    """{export | path, vkeys[], origin?} -> {origin, from, to, treeSize, rootHash, counts}"""
    data, keys, origin = case.archive("export"), case.verifier_keys(), case.origin()
    verified = verify_export(io.BytesIO(data), keys, origin=origin)
    return {name: value if isinstance(value, str) else str(value)
            for name, value in verified.items()}


def check_bundle(case: Case) -> Result:
    """{bundle | path, publicKeysPem[], vkeys[], origin?, time?, threshold?} -> {report}"""
    archive, threshold, origin, time = (case.archive(), case.threshold(), case.origin(),
                                        case.time())
    trust = Trust(case.public_keys(), case.verifier_keys(), threshold, origin, time)
    report = verify_bundle(archive, trust)
    failed = [f"{name}: {check['message']}" for name, check in report["checks"].items()
              if check["status"] == "fail"]
    if failed:
        raise Refused("; ".join(failed))
    return {"report": report}


def check_snapshot_proof(case: Case) -> Result:
    """{input, snapshotHash} -> {rows[]}"""
    wanted = case.text("snapshotHash")
    is_id(wanted, "snapshotHash")
    return {"rows": verify_snapshot_proof(case.bytes("input"), wanted)}


# The kinds of `stella check`, and where their vectors lie when not in a folder of that name.
KINDS: dict[str, Callable[[Case], Result]] = {
    "inclusion": check_inclusion,
    "consistency": check_consistency,
    "root": check_root,
    "range": check_range,
    "event": check_event,
    "payload": check_event_payload,
    "rule-applied": check_rule_applied,
    "manifest": check_manifest,
    "node": check_node,
    "score-proof": check_score_proof,
    "snapshot": check_snapshot_header,
    "snapshot-row": check_snapshot_row,
    "snapshot-proof": check_snapshot_proof,
    "ed25519": check_ed25519,
    "signature": check_signature,
    "dsse": check_dsse,
    "statement": check_statement,
    "note": check_note,
    "checkpoint": check_checkpoint,
    "cosignature": check_cosignature,
    "tlog-proof": check_tlog_proof,
    "jcs": check_jcs,
    "zip": check_zip,
    "bundle": check_bundle,
    "export": check_export,
}
OTHER_VECTOR_FILES = {
    "snapshot/header": "snapshot",
    "snapshot/row": "snapshot-row",
    "snapshot/proof": "snapshot-proof",
}


def check_line(kind: str, line: bytes, folder: Path) -> Result:
    """The result of one case: `ok`, `error` when not, and `malformed` when it is no case."""
    try:
        return {"ok": True, **KINDS[kind](Case(line, folder))}
    except Refused as refusal:
        return {"ok": False, "error": str(refusal)}
    except Malformed as malformed:
        return {"ok": False, "error": str(malformed), "malformed": True}


def run_check(kind: str, source: str) -> int:
    """`check`: one result a line; 0 all ok, 3 some not, 2 a line that is no case."""
    code = 0
    with sys.stdin.buffer if source == "-" else open(source, "rb") as lines:
        for line in lines:
            result = check_line(kind, line.rstrip(b"\r\n"), Path("."))
            print(json.dumps(result, ensure_ascii=True))
            code = 2 if code == 2 or "malformed" in result else code if result["ok"] else 3
    return code


# ---- Vectors ---------------------------------------------------------------------------------


def kind_of(path: Path) -> str | None:
    """The kind of a vector file, which names it or its folder."""
    name = f"{path.parent.name}/{path.stem}"
    candidates = (OTHER_VECTOR_FILES.get(name), path.stem, path.parent.name)
    return next((kind for kind in candidates if kind in KINDS), None)


def disagreement(kind: str, expected: dict[str, Any], result: Result) -> str | None:
    """What differs between a vector and our result, or nothing.

    The words of an error are nobody's contract; that a bundle's failed check is named, is.
    """
    if result["ok"] is not expected["ok"]:
        return f"expected ok {expected['ok']}, got {result}"
    if bool(expected.get("malformed")) is not result.get("malformed", False):
        return f"expected malformed {bool(expected.get('malformed'))}, got {result}"
    for name, value in expected.get("want", {}).items():
        if result.get(name) != value:
            return f"expected {name} {value!r}, got {result.get(name)!r}"
    check = expected.get("error", "").partition(":")[0]
    if kind == "bundle" and check in CHECKS and f"{check}: " not in result["error"]:
        return f"expected {check} to fail, got {result}"
    return None


def run_vectors(folder: str) -> int:
    """`vectors`: every file of a known kind; 1 when a vector disagrees or there is none."""
    passed = failed = 0
    for path in sorted(Path(folder).rglob("*.jsonl")):
        kind = kind_of(path)
        if kind is None:
            print(f"left out, of no kind known here: {path}", file=sys.stderr)
            continue
        for number, line in enumerate(path.read_bytes().splitlines(), 1):
            vector = json.loads(line)
            difference = disagreement(kind, vector, check_line(kind, line, Path(folder)))
            if difference is None:
                passed += 1
            else:
                failed += 1
                print(f"{path}:{number}: {vector['name']}: {difference}")
    print(f"{passed} passed, {failed} failed")
    return 0 if passed and not failed else 1


def run_bundle(options: argparse.Namespace) -> int:
    """`bundle`: the report as JSON; 0 verified, 3 not, 2 when a file or a key cannot be read."""
    try:
        archive = Path(options.file).read_bytes()
        trust = Trust(
            public_keys=[load_public_key(Path(path).read_text("utf-8"))
                         for paths in options.public_key for path in paths],
            log_keys=[parse_vkey(text) for text in options.log_key],
            origin=options.origin,
            time_unix_ms=parse_time(options.time) if options.time else None,
        )
    except (OSError, UnicodeDecodeError, Refused) as error:
        print(f"verify.py: {error}", file=sys.stderr)
        return 2
    report = verify_bundle(archive, trust)
    print(json.dumps(report, indent=2))
    return 0 if report["verified"] else 3


def run_export(options: argparse.Namespace) -> int:
    """`export`: what was verified as JSON; 0 verified, 3 not, 2 when nothing could be read."""
    try:
        keys = [parse_vkey(text) for text in options.log_key]
    except Refused as error:
        print(f"verify.py: {error}", file=sys.stderr)
        return 2
    with open(options.file, "rb") as file:
        try:
            verified = verify_export(file, keys, origin=options.origin)
        except Refused as refusal:
            print(json.dumps({"verified": False, "error": str(refusal)}, indent=2))
            return 3
    print(json.dumps({"verified": True, **verified}, indent=2))
    return 0


def main(arguments: list[str]) -> int:
    """The command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    commands = parser.add_subparsers(dest="command", required=True)
    check = commands.add_parser("check", help="cases in, results out, one a line")
    check.add_argument("kind", choices=KINDS)
    check.add_argument("--jsonl", default="-", metavar="FILE")
    bundle = commands.add_parser("bundle", help="verify a proof bundle offline")
    bundle.add_argument("file", metavar="FILE")
    bundle.add_argument("--public-key", nargs="+", action="append", required=True, metavar="PEM",
                        help="file with a key that may sign envelopes")
    bundle.add_argument("--log-key", action="append", default=[], metavar="VKEY",
                        help="verifier key of the log, as text")
    bundle.add_argument("--origin", help="origin that the log must have")
    bundle.add_argument("--time", help="your time, YYYY-MM-DDTHH:MM:SS.sssZ")
    export = commands.add_parser("export", help="verify an audit export offline")
    export.add_argument("file", metavar="FILE")
    export.add_argument("--log-key", action="append", required=True, metavar="VKEY",
                        help="verifier key of the log, as text")
    export.add_argument("--origin", help="origin that the log must have")
    vectors = commands.add_parser("vectors", help="compare with every vector under a folder")
    vectors.add_argument("folder", metavar="DIR")
    options = parser.parse_args(arguments)
    if options.command == "check":
        return run_check(options.kind, options.jsonl)
    if options.command == "bundle":
        return run_bundle(options)
    if options.command == "export":
        return run_export(options)
    return run_vectors(options.folder)


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except OSError as error:
        print(f"verify.py: {error}", file=sys.stderr)
        sys.exit(2)
