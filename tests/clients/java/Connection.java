import com.google.protobuf.Descriptors.FileDescriptor;
import io.grpc.ClientInterceptors;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.netty.shaded.io.grpc.netty.NettyChannelBuilder;
import io.grpc.stub.MetadataUtils;
import java.util.concurrent.TimeUnit;

/** A channel, and a token for it. */
final class Connection implements AutoCloseable {
    private final ManagedChannel channel;
    private final Metadata token = new Metadata();

    Connection(String address, String token) {
        this.channel = NettyChannelBuilder.forTarget(address).usePlaintext().build();
        Metadata.Key<String> name = Metadata.Key.of("authorization", Metadata.ASCII_STRING_MARSHALLER);
        this.token.put(name, "Bearer " + token);
    }

    /** The one service of a .proto file. */
    Service service(FileDescriptor file) {
        var authorized =
                ClientInterceptors.intercept(channel, MetadataUtils.newAttachHeadersInterceptor(token));
        return new Service(file.getServices().get(0), channel, authorized);
    }

    @Override
    public void close() throws InterruptedException {
        channel.shutdownNow().awaitTermination(5, TimeUnit.SECONDS);
    }
}
