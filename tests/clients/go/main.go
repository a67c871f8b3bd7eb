// One conversation with a server; tests/clients/README.md says what about.
package main

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	"conversation/gen/ledger"
	"conversation/gen/proofs"
	"conversation/gen/scan"
	"conversation/gen/score"
	"conversation/gen/snapshot"
)

func must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}

func check(holds bool, what string) {
	if !holds {
		panic(what)
	}
}

func mustFail(what string, err error) {
	check(errors.Is(err, errUnverified), what+" was accepted")
}

// refusal is the reason in the ErrorInfo of a refused call.
func refusal(err error) string {
	for _, detail := range status.Convert(err).Details() {
		if info, ok := detail.(*errdetails.ErrorInfo); ok && info.Domain == "stella" {
			return info.Reason
		}
	}
	return fmt.Sprint("no reason: ", err)
}

func importFeed(ctx context.Context, client snapshot.SnapshotServiceClient) *snapshot.Snapshot {
	call := must(client.ImportSnapshot(ctx))
	send := func(part *snapshot.ImportSnapshotRequest) { must(0, call.Send(part)) }
	header := &snapshot.ImportHeader{Kind: snapshot.SnapshotKind_SNAPSHOT_KIND_CONCELIER, Publish: true}
	send(&snapshot.ImportSnapshotRequest{Part: &snapshot.ImportSnapshotRequest_Header{Header: header}})
	folder := os.Getenv("STELLA_FEED")
	for _, entry := range must(os.ReadDir(folder)) {
		file := &snapshot.SourceFile{Name: entry.Name()}
		send(&snapshot.ImportSnapshotRequest{Part: &snapshot.ImportSnapshotRequest_File{File: file}})
		chunk := must(os.ReadFile(filepath.Join(folder, entry.Name())))
		send(&snapshot.ImportSnapshotRequest{Part: &snapshot.ImportSnapshotRequest_Chunk{Chunk: chunk}})
	}
	return must(call.CloseAndRecv()).Snapshot
}

// events gathers a stream of answers that carry events.
func events[A interface{ GetEvents() []*ledger.Event }](next func() (A, error)) []*ledger.Event {
	var all []*ledger.Event
	for {
		answer, err := next()
		if err == io.EOF {
			return all
		}
		all = append(all, must(answer, err).GetEvents()...)
	}
}

func main() {
	connection := must(grpc.NewClient(os.Getenv("STELLA_ADDRESS"),
		grpc.WithTransportCredentials(insecure.NewCredentials())))
	log := ledger.NewLedgerServiceClient(connection)
	proof := proofs.NewProofServiceClient(connection)
	scans := scan.NewScanServiceClient(connection)
	scores := score.NewScoreServiceClient(connection)
	nobody := context.Background()
	writer := metadata.AppendToOutgoingContext(nobody, "authorization", "Bearer "+os.Getenv("STELLA_TOKEN"))
	submission := &scan.SubmitScanRequest{Sbom: must(os.ReadFile(os.Getenv("STELLA_SBOM")))}

	_, err := scans.SubmitScan(nobody, submission)
	check(refusal(err) == "UNAUTHENTICATED", refusal(err))

	feed := importFeed(writer, snapshot.NewSnapshotServiceClient(connection))
	check(feed.Count > 0, "the snapshot is empty")
	scored := must(scans.SubmitScan(writer, submission)).Scan

	manifest := must(scores.GetManifest(nobody, &score.GetManifestRequest{ScanId: scored.ScanId})).Manifest
	check(id(sha(manifest)) == scored.ManifestHash, "the manifest's hash")
	var inputs map[string]any
	must(0, json.Unmarshal(manifest, &inputs))
	check(inputs["concelierSnapshotHash"] == feed.Hash, "the manifest's feed")

	again := &score.ReplayScoreRequest{ScanId: scored.ScanId, UseOriginalSnapshots: true}
	replayed := must(scores.ReplayScore(writer, again))
	check(replayed.VerifiedEqual && replayed.ReplayedRootHash == scored.RootHash, "the replay")

	sealed := must(proof.GetProofRoot(nobody, &proofs.GetProofRootRequest{RootHash: scored.RootHash}))
	block, _ := pem.Decode(must(os.ReadFile(os.Getenv("STELLA_SIGNING_KEY"))))
	key := must(x509.ParsePKIXPublicKey(block.Bytes)).(ed25519.PublicKey)
	var wrapped envelope
	must(0, json.Unmarshal(sealed.Envelope, &wrapped))
	said := must(openEnvelope(wrapped, key))
	check(said == predicate{scored.RootHash, scored.ManifestHash}, "the envelope's root and manifest")

	computation := "computation/" + strings.TrimPrefix(scored.ManifestHash, "sha256:")
	stream := must(log.ReadStream(nobody, &ledger.ReadStreamRequest{Stream: computation}))
	var nodes, hashes [][]byte
	for _, event := range events(stream.Recv) {
		var applied ledger.RuleApplied
		must(0, proto.Unmarshal(event.Payload, &applied))
		nodes = append(nodes, applied.Node)
		hashes = append(hashes, leafHash(applied.Node))
	}
	check(id(treeRoot(hashes)) == scored.RootHash, "the nodes' root")
	last := nodes[len(nodes)-1]
	node := must(proof.GetNode(nobody, &proofs.GetNodeRequest{NodeId: id(sha(last))})).Node
	check(bytes.Equal(node, last), "the node by its id")

	index, limit := sealed.Proof.LeafIndex, uint64(1)
	sealing := must(log.ReadEvents(nobody, &ledger.ReadEventsRequest{From: index, Limit: limit}))
	leaf := leafHash(events(sealing.Recv)[0].Leaf)
	answer := must(log.GetInclusionProof(nobody, &ledger.GetInclusionProofRequest{LeafIndex: index}))
	vkey := os.Getenv("STELLA_LOG_KEY")
	head := must(openCheckpoint(answer.Checkpoint, vkey))
	included := func(path [][]byte) error {
		root, err := pathRoot(leaf, index, head.size, path)
		if err == nil && !bytes.Equal(root, head.root) {
			err = unverified("the audit path")
		}
		return err
	}
	must(0, included(answer.Hashes))
	broken := append([][]byte{flipped(answer.Hashes[0], 3)}, answer.Hashes[1:]...)
	mustFail("a broken audit path", included(broken))
	mustFail("a short audit path", included(answer.Hashes[:len(answer.Hashes)-1]))
	encode := base64.StdEncoding.EncodeToString
	note := strings.Replace(string(answer.Checkpoint), encode(head.root), encode(flipped(head.root, 0)), 1)
	_, err = openCheckpoint([]byte(note), vkey)
	mustFail("a broken checkpoint", err)
	wrapped.Payload = flipped(wrapped.Payload, 40)
	_, err = openEnvelope(wrapped, key)
	mustFail("a broken envelope", err)

	_, err = scans.GetScan(nobody, &scan.GetScanRequest{ScanId: "scan-00000000000000000000"})
	check(refusal(err) == "SCAN_NOT_FOUND", refusal(err))
	fmt.Printf("{\"client\":\"go\",\"rootHash\":%q,\"nodes\":%d}\n", scored.RootHash, len(nodes))
}
