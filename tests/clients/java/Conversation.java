import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import com.google.protobuf.Any;
import com.google.protobuf.ByteString;
import com.google.rpc.ErrorInfo;
import io.grpc.StatusRuntimeException;
import io.grpc.protobuf.StatusProto;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.PublicKey;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.Callable;
import stella.ledger.v1.Event.RuleApplied;
import stella.ledger.v1.Ledger;
import stella.proof.v1.Proof;
import stella.scan.v1.ScanOuterClass;
import stella.score.v1.Score;
import stella.snapshot.v1.SnapshotOuterClass;

/** One conversation with a server; tests/clients/README.md says what about. */
public final class Conversation {
    private final Service ledger;
    private final Service proofs;
    private final Service scans;
    private final Service scores;
    private final Service snapshots;

    private Conversation(Connection connection) {
        ledger = connection.service(Ledger.getDescriptor());
        proofs = connection.service(Proof.getDescriptor());
        scans = connection.service(ScanOuterClass.getDescriptor());
        scores = connection.service(Score.getDescriptor());
        snapshots = connection.service(SnapshotOuterClass.getDescriptor());
    }

    public static void main(String[] arguments) throws Exception {
        try (Connection connection = new Connection(env("STELLA_ADDRESS"), env("STELLA_TOKEN"))) {
            new Conversation(connection).hold();
        }
    }

    private void hold() throws Exception {
        ByteString sbom = ByteString.copyFrom(Files.readAllBytes(Path.of(env("STELLA_SBOM"))));
        var submission = ScanOuterClass.SubmitScanRequest.newBuilder().setSbom(sbom).build();

        String reason = refusal(() -> scans.anonymously().call("SubmitScan", submission, ScanOuterClass.SubmitScanResponse.class));
        Verify.check(reason.equals("UNAUTHENTICATED"), "refused for " + reason);

        var feed = importFeed();
        Verify.check(feed.getCount() > 0, "the snapshot is empty");
        var scan = scans.call("SubmitScan", submission, ScanOuterClass.SubmitScanResponse.class).getScan();

        var asked = Score.GetManifestRequest.newBuilder().setScanId(scan.getScanId()).build();
        ByteString manifest = scores.call("GetManifest", asked, Score.GetManifestResponse.class).getManifest();
        String manifestHash = Verify.id(Verify.sha256(manifest.toByteArray()));
        Verify.check(manifestHash.equals(scan.getManifestHash()), "the manifest's hash");
        String used = json(manifest).get("concelierSnapshotHash").getAsString();
        Verify.check(used.equals(feed.getHash()), "the manifest's feed");

        var again = Score.ReplayScoreRequest.newBuilder()
                .setScanId(scan.getScanId())
                .setUseOriginalSnapshots(true)
                .build();
        var replayed = scores.call("ReplayScore", again, Score.ReplayScoreResponse.class);
        boolean same = replayed.getReplayedRootHash().equals(scan.getRootHash());
        Verify.check(replayed.getVerifiedEqual() && same, "the replay");

        var root = Proof.GetProofRootRequest.newBuilder().setRootHash(scan.getRootHash()).build();
        var sealed = proofs.call("GetProofRoot", root, Proof.GetProofRootResponse.class);
        PublicKey key = Verify.publicKey(pem(Files.readString(Path.of(env("STELLA_SIGNING_KEY")))));
        JsonObject envelope = json(sealed.getEnvelope());
        JsonObject predicate = Verify.openEnvelope(envelope, key).getAsJsonObject("predicate");
        Verify.check(predicate.get("rootHash").getAsString().equals(scan.getRootHash()), "the envelope's root");
        Verify.check(predicate.get("manifestHash").getAsString().equals(manifestHash), "the envelope's manifest");

        int nodes = checkNodes(scan);
        checkInclusion(sealed.getProof().getLeafIndex());
        byte[] payload = Base64.getDecoder().decode(envelope.get("payload").getAsString());
        envelope.addProperty("payload", Base64.getEncoder().encodeToString(flipped(payload, 40)));
        mustFail("a broken envelope", () -> Verify.openEnvelope(envelope, key));

        var missing = ScanOuterClass.GetScanRequest.newBuilder().setScanId("scan-00000000000000000000").build();
        reason = refusal(() -> scans.call("GetScan", missing, ScanOuterClass.GetScanResponse.class));
        Verify.check(reason.equals("SCAN_NOT_FOUND"), "refused for " + reason);
        System.out.printf("{\"client\":\"java\",\"rootHash\":\"%s\",\"nodes\":%d}%n", scan.getRootHash(), nodes);
    }

    private SnapshotOuterClass.Snapshot importFeed() throws Exception {
        var header = SnapshotOuterClass.ImportHeader.newBuilder()
                .setKind(SnapshotOuterClass.SnapshotKind.SNAPSHOT_KIND_CONCELIER)
                .setPublish(true);
        List<SnapshotOuterClass.ImportSnapshotRequest> parts = new ArrayList<>();
        parts.add(SnapshotOuterClass.ImportSnapshotRequest.newBuilder().setHeader(header).build());
        try (var files = Files.list(Path.of(env("STELLA_FEED")))) {
            for (Path path : files.sorted().toList()) {
                var file = SnapshotOuterClass.SourceFile.newBuilder().setName(path.getFileName().toString());
                parts.add(SnapshotOuterClass.ImportSnapshotRequest.newBuilder().setFile(file).build());
                ByteString chunk = ByteString.copyFrom(Files.readAllBytes(path));
                parts.add(SnapshotOuterClass.ImportSnapshotRequest.newBuilder().setChunk(chunk).build());
            }
        }
        var answer = snapshots.send("ImportSnapshot", parts, SnapshotOuterClass.ImportSnapshotResponse.class);
        return answer.getSnapshot();
    }

    /** The nodes of the computation hash to its root, and are found by their ids. */
    private int checkNodes(ScanOuterClass.Scan scan) throws Exception {
        String computation = "computation/" + scan.getManifestHash().substring("sha256:".length());
        var stream = Ledger.ReadStreamRequest.newBuilder().setStream(computation).build();
        List<byte[]> nodes = new ArrayList<>();
        for (var answer : ledger.receive("ReadStream", stream, Ledger.ReadStreamResponse.class)) {
            for (Ledger.Event event : answer.getEventsList()) {
                nodes.add(RuleApplied.parseFrom(event.getPayload()).getNode().toByteArray());
            }
        }
        byte[] root = Verify.treeRoot(nodes.stream().map(Verify::leafHash).toList());
        Verify.check(Verify.id(root).equals(scan.getRootHash()), "the nodes' root");
        byte[] last = nodes.get(nodes.size() - 1);
        String id = Verify.id(Verify.sha256(last));
        var named = Proof.GetNodeRequest.newBuilder().setNodeId(id).build();
        var found = proofs.call("GetNode", named, Proof.GetNodeResponse.class);
        Verify.check(ByteString.copyFrom(last).equals(found.getNode()), "the node by its id");
        return nodes.size();
    }

    /** The leaf at an index is in the tree that the log signed; broken evidence shows nothing. */
    private void checkInclusion(long index) throws Exception {
        var one = Ledger.ReadEventsRequest.newBuilder().setFrom(index).setLimit(1).build();
        var event = ledger.receive("ReadEvents", one, Ledger.ReadEventsResponse.class).get(0).getEvents(0);
        byte[] leaf = Verify.leafHash(event.getLeaf().toByteArray());
        var asked = Ledger.GetInclusionProofRequest.newBuilder().setLeafIndex(index).build();
        var proof = ledger.call("GetInclusionProof", asked, Ledger.GetInclusionProofResponse.class);
        String vkey = env("STELLA_LOG_KEY");
        String note = proof.getCheckpoint().toStringUtf8();
        var head = Verify.openCheckpoint(note, vkey);
        List<byte[]> path = proof.getHashesList().stream().map(ByteString::toByteArray).toList();
        included(leaf, index, head, path);
        List<byte[]> broken = new ArrayList<>(path);
        broken.set(0, flipped(path.get(0), 3));
        mustFail("a broken audit path", () -> included(leaf, index, head, broken));
        mustFail("a short audit path", () -> included(leaf, index, head, path.subList(0, path.size() - 1)));
        Base64.Encoder base64 = Base64.getEncoder();
        String other = note.replace(
                base64.encodeToString(head.root()), base64.encodeToString(flipped(head.root(), 0)));
        mustFail("a broken checkpoint", () -> Verify.openCheckpoint(other, vkey));
    }

    private static boolean included(byte[] leaf, long index, Verify.Checkpoint head, List<byte[]> path) {
        byte[] root = Verify.pathRoot(leaf, index, head.size(), path);
        Verify.check(Arrays.equals(root, head.root()), "the audit path");
        return true;
    }

    private static void mustFail(String what, Callable<?> attempt) throws Exception {
        try {
            attempt.call();
        } catch (Verify.Unverified expected) {
            return;
        }
        throw new IllegalStateException(what + " was accepted");
    }

    /** The reason in the ErrorInfo of a refused call. */
    private static String refusal(Callable<?> attempt) throws Exception {
        try {
            attempt.call();
        } catch (StatusRuntimeException refused) {
            for (Any detail : StatusProto.fromThrowable(refused).getDetailsList()) {
                if (detail.is(ErrorInfo.class) && detail.unpack(ErrorInfo.class).getDomain().equals("stella")) {
                    return detail.unpack(ErrorInfo.class).getReason();
                }
            }
            throw refused;
        }
        throw new IllegalStateException("the call was not refused");
    }

    private static JsonObject json(ByteString text) {
        return JsonParser.parseString(text.toStringUtf8()).getAsJsonObject();
    }

    private static byte[] pem(String text) {
        return Base64.getDecoder().decode(text.replaceAll("-----[A-Z ]+-----|\\s", ""));
    }

    private static byte[] flipped(byte[] data, int at) {
        byte[] broken = data.clone();
        broken[at] ^= 1;
        return broken;
    }

    private static String env(String name) {
        return Objects.requireNonNull(System.getenv(name), name);
    }
}
