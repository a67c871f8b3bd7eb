import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.MessageDigest;
import java.security.PublicKey;
import java.security.Signature;
import java.security.spec.X509EncodedKeySpec;
import java.util.Arrays;
import java.util.Base64;
import java.util.HexFormat;
import java.util.List;

/** What a stranger needs to check the ledger: trees, checkpoints, envelopes. */
final class Verify {
    /** The fixed bytes before the 32 of an Ed25519 key in a SubjectPublicKeyInfo (RFC 8410). */
    private static final byte[] SPKI = HexFormat.of().parseHex("302a300506032b6570032100");

    private Verify() {}

    static final class Unverified extends RuntimeException {
        Unverified(String what) {
            super(what);
        }
    }

    record Checkpoint(long size, byte[] root) {}

    static void check(boolean holds, String what) {
        if (!holds) {
            throw new Unverified(what);
        }
    }

    static byte[] sha256(byte[]... parts) {
        try {
            MessageDigest digest = MessageDigest.getInstance("SHA-256");
            for (byte[] part : parts) {
                digest.update(part);
            }
            return digest.digest();
        } catch (GeneralSecurityException missing) {
            throw new IllegalStateException(missing);
        }
    }

    static byte[] leafHash(byte[] leaf) {
        return sha256(new byte[] {0}, leaf);
    }

    static byte[] nodeHash(byte[] left, byte[] right) {
        return sha256(new byte[] {1}, left, right);
    }

    static String id(byte[] hash) {
        return "sha256:" + HexFormat.of().formatHex(hash);
    }

    /** RFC 6962 2.1: the root over leaf hashes. */
    static byte[] treeRoot(List<byte[]> hashes) {
        if (hashes.size() == 1) {
            return hashes.get(0);
        }
        int split = Integer.highestOneBit(hashes.size() - 1);
        return nodeHash(
                treeRoot(hashes.subList(0, split)),
                treeRoot(hashes.subList(split, hashes.size())));
    }

    /** RFC 9162 2.1.3.2: the root that an audit path leads to. */
    static byte[] pathRoot(byte[] leaf, long index, long size, List<byte[]> path) {
        check(index < size, "the leaf is beyond the tree");
        long node = index;
        long last = size - 1;
        byte[] root = leaf;
        for (byte[] sibling : path) {
            check(last != 0, "the path is too long");
            if ((node & 1) == 1 || node == last) {
                root = nodeHash(sibling, root);
                while (node != 0 && (node & 1) == 0) {
                    node >>= 1;
                    last >>= 1;
                }
            } else {
                root = nodeHash(root, sibling);
            }
            node >>= 1;
            last >>= 1;
        }
        check(last == 0, "the path is too short");
        return root;
    }

    /** C2SP signed-note and tlog-checkpoint: the size and root that the log's key signed. */
    static Checkpoint openCheckpoint(String note, String vkey) throws GeneralSecurityException {
        String[] parts = vkey.split("\\+", 3);
        String name = parts[0];
        byte[] key = Base64.getDecoder().decode(parts[2]);
        check(key.length == 33 && key[0] == 1, "not an Ed25519 key");
        byte[] identity = Arrays.copyOf(sha256((name + "\n").getBytes(StandardCharsets.UTF_8), key), 4);
        byte[] spki = Arrays.copyOf(SPKI, SPKI.length + 32);
        System.arraycopy(key, 1, spki, SPKI.length, 32);
        int end = note.lastIndexOf("\n\n");
        check(end > 0, "the note");
        String text = note.substring(0, end + 1);
        for (String line : note.substring(end + 2).split("\n")) {
            String[] fields = line.split(" ");
            if (fields.length != 3 || !fields[1].equals(name)) {
                continue;
            }
            byte[] signature = Base64.getDecoder().decode(fields[2]);
            if (!Arrays.equals(Arrays.copyOf(signature, 4), identity)) {
                continue;
            }
            byte[] raw = Arrays.copyOfRange(signature, 4, signature.length);
            boolean good = signed(publicKey(spki), text.getBytes(StandardCharsets.UTF_8), raw);
            check(good, "the checkpoint's signature");
            String[] lines = text.split("\n");
            return new Checkpoint(Long.parseUnsignedLong(lines[1]), Base64.getDecoder().decode(lines[2]));
        }
        throw new Unverified("the log did not sign the checkpoint");
    }

    /** DSSE: the statement that the signing key signed. */
    static JsonObject openEnvelope(JsonObject envelope, PublicKey key) throws GeneralSecurityException {
        String kind = envelope.get("payloadType").getAsString();
        byte[] body = Base64.getDecoder().decode(envelope.get("payload").getAsString());
        byte[] head = ("DSSEv1 " + kind.length() + " " + kind + " " + body.length + " ")
                .getBytes(StandardCharsets.UTF_8);
        byte[] all = Arrays.copyOf(head, head.length + body.length);
        System.arraycopy(body, 0, all, head.length, body.length);
        for (JsonElement entry : envelope.getAsJsonArray("signatures")) {
            byte[] raw = Base64.getDecoder().decode(entry.getAsJsonObject().get("sig").getAsString());
            if (signed(key, all, raw)) {
                return JsonParser.parseString(new String(body, StandardCharsets.UTF_8)).getAsJsonObject();
            }
        }
        throw new Unverified("nobody we trust signed the envelope");
    }

    static PublicKey publicKey(byte[] spki) throws GeneralSecurityException {
        return KeyFactory.getInstance("Ed25519").generatePublic(new X509EncodedKeySpec(spki));
    }

    private static boolean signed(PublicKey key, byte[] text, byte[] signature)
            throws GeneralSecurityException {
        Signature verifier = Signature.getInstance("Ed25519");
        verifier.initVerify(key);
        verifier.update(text);
        return signature.length == 64 && verifier.verify(signature);
    }
}
