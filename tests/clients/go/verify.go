package main

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"math/bits"
	"strconv"
	"strings"
)

var errUnverified = errors.New("does not verify")

func unverified(what string) error { return fmt.Errorf("%s: %w", what, errUnverified) }

func sha(parts ...[]byte) []byte {
	hash := sha256.New()
	for _, part := range parts {
		hash.Write(part)
	}
	return hash.Sum(nil)
}

func leafHash(leaf []byte) []byte        { return sha([]byte{0}, leaf) }
func nodeHash(left, right []byte) []byte { return sha([]byte{1}, left, right) }
func id(hash []byte) string              { return "sha256:" + hex.EncodeToString(hash) }

// treeRoot is the root over leaf hashes (RFC 6962 2.1).
func treeRoot(hashes [][]byte) []byte {
	if len(hashes) == 1 {
		return hashes[0]
	}
	split := 1 << (bits.Len(uint(len(hashes)-1)) - 1)
	return nodeHash(treeRoot(hashes[:split]), treeRoot(hashes[split:]))
}

// pathRoot is the root that an audit path leads to (RFC 9162 2.1.3.2).
func pathRoot(leaf []byte, index, size uint64, path [][]byte) ([]byte, error) {
	if index >= size {
		return nil, unverified("the leaf is beyond the tree")
	}
	node, last, root := index, size-1, leaf
	for _, sibling := range path {
		if last == 0 {
			return nil, unverified("the path is too long")
		}
		if node&1 == 1 || node == last {
			root = nodeHash(sibling, root)
			for node != 0 && node&1 == 0 {
				node, last = node>>1, last>>1
			}
		} else {
			root = nodeHash(root, sibling)
		}
		node, last = node>>1, last>>1
	}
	if last != 0 {
		return nil, unverified("the path is too short")
	}
	return root, nil
}

type checkpoint struct {
	size uint64
	root []byte
}

// openCheckpoint opens a C2SP signed note with the log's key.
func openCheckpoint(note []byte, vkey string) (checkpoint, error) {
	parts := strings.SplitN(vkey, "+", 3)
	if len(parts) != 3 {
		return checkpoint{}, unverified("the log's key")
	}
	name := parts[0]
	key, err := base64.StdEncoding.DecodeString(parts[2])
	if err != nil || len(key) != 33 || key[0] != 1 {
		return checkpoint{}, unverified("the log's key")
	}
	identity := sha([]byte(name+"\n"), key)[:4]
	end := bytes.LastIndex(note, []byte("\n\n"))
	if end < 0 {
		return checkpoint{}, unverified("the note")
	}
	text := note[:end+1]
	for _, line := range strings.Split(strings.TrimSpace(string(note[end+2:])), "\n") {
		fields := strings.Fields(line)
		if len(fields) != 3 || fields[1] != name {
			continue
		}
		signature, err := base64.StdEncoding.DecodeString(fields[2])
		if err != nil || len(signature) != 68 || !bytes.Equal(signature[:4], identity) {
			continue
		}
		if !ed25519.Verify(key[1:], text, signature[4:]) {
			return checkpoint{}, unverified("the checkpoint's signature")
		}
		lines := strings.Split(string(text), "\n")
		size, err := strconv.ParseUint(lines[1], 10, 64)
		if err != nil {
			return checkpoint{}, unverified("the tree size")
		}
		root, err := base64.StdEncoding.DecodeString(lines[2])
		if err != nil {
			return checkpoint{}, unverified("the root")
		}
		return checkpoint{size, root}, nil
	}
	return checkpoint{}, unverified("the log did not sign the checkpoint")
}

type envelope struct {
	PayloadType string              `json:"payloadType"`
	Payload     []byte              `json:"payload"`
	Signatures  []map[string]string `json:"signatures"`
}

type predicate struct {
	RootHash     string `json:"rootHash"`
	ManifestHash string `json:"manifestHash"`
}

// openEnvelope gives the predicate of the statement that the signing key signed (DSSE).
func openEnvelope(wrapped envelope, key ed25519.PublicKey) (predicate, error) {
	kind, body := wrapped.PayloadType, wrapped.Payload
	signed := fmt.Appendf(nil, "DSSEv1 %d %s %d %s", len(kind), kind, len(body), body)
	for _, signature := range wrapped.Signatures {
		raw, err := base64.StdEncoding.DecodeString(signature["sig"])
		if err == nil && ed25519.Verify(key, signed, raw) {
			var statement struct {
				Predicate predicate `json:"predicate"`
			}
			err = json.Unmarshal(body, &statement)
			return statement.Predicate, err
		}
	}
	return predicate{}, unverified("nobody we trust signed the envelope")
}

func flipped(data []byte, at int) []byte {
	broken := bytes.Clone(data)
	broken[at] ^= 1
	return broken
}
