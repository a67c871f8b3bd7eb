import com.google.protobuf.Descriptors.ServiceDescriptor;
import com.google.protobuf.Internal;
import com.google.protobuf.Message;
import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.MethodDescriptor;
import io.grpc.MethodDescriptor.MethodType;
import io.grpc.protobuf.ProtoUtils;
import io.grpc.stub.ClientCalls;
import io.grpc.stub.StreamObserver;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

/**
 * Calls to a service by the names in its generated descriptor. Messages and descriptor come from
 * protoc alone, so that this needs no further generator.
 */
record Service(ServiceDescriptor descriptor, Channel anonymous, Channel channel) {
    /** The same service without the token. */
    Service anonymously() {
        return new Service(descriptor, anonymous, anonymous);
    }

    /** One request, one answer. */
    <Q extends Message, A extends Message> A call(String name, Q request, Class<A> answer) {
        return ClientCalls.blockingUnaryCall(channel, method(name, request, answer), CallOptions.DEFAULT, request);
    }

    /** One request, all answers. */
    <Q extends Message, A extends Message> List<A> receive(String name, Q request, Class<A> answer) {
        List<A> answers = new ArrayList<>();
        var method = method(name, request, answer);
        ClientCalls.blockingServerStreamingCall(channel, method, CallOptions.DEFAULT, request)
                .forEachRemaining(answers::add);
        return answers;
    }

    /** All requests, one answer. */
    <Q extends Message, A extends Message> A send(String name, List<Q> requests, Class<A> answer)
            throws Exception {
        var answered = new CompletableFuture<A>();
        var call = channel.newCall(method(name, requests.get(0), answer), CallOptions.DEFAULT);
        var requester = ClientCalls.asyncClientStreamingCall(call, new StreamObserver<A>() {
            @Override
            public void onNext(A value) {
                answered.complete(value);
            }

            @Override
            public void onError(Throwable problem) {
                answered.completeExceptionally(problem);
            }

            @Override
            public void onCompleted() {}
        });
        requests.forEach(requester::onNext);
        requester.onCompleted();
        return answered.get(60, TimeUnit.SECONDS);
    }

    private <Q extends Message, A extends Message> MethodDescriptor<Q, A> method(
            String name, Q request, Class<A> answer) {
        var method = descriptor.findMethodByName(name);
        MethodType type = method.isClientStreaming()
                ? MethodType.CLIENT_STREAMING
                : method.isServerStreaming() ? MethodType.SERVER_STREAMING : MethodType.UNARY;
        @SuppressWarnings("unchecked")
        Q prototype = (Q) request.getDefaultInstanceForType();
        return MethodDescriptor.<Q, A>newBuilder()
                .setType(type)
                .setFullMethodName(MethodDescriptor.generateFullMethodName(descriptor.getFullName(), name))
                .setRequestMarshaller(ProtoUtils.marshaller(prototype))
                .setResponseMarshaller(ProtoUtils.marshaller(Internal.getDefaultInstance(answer)))
                .build();
    }
}
