import HummingbirdCore
import Logging
import NIOCore

/// A server's connections, behind a ``ConnectionGate``: those that it does not let in get no TLS handshake and no task.
struct GatedChannel<Base: ServerChildChannel>: ServerChildChannel {
    typealias Value = Base.Value
    let base: Base
    let gate: ConnectionGate

    func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<Base.Value> {
        guard let number = gate.open(channel) else {
            return channel.eventLoop.makeFailedFuture(ChannelError.ioOnClosedChannel)
        }
        channel.closeFuture.whenComplete { [gate] _ in gate.close(number, channel) }
        return channel.eventLoop.makeCompletedFuture {
            if gate.expectsHeader {
                try channel.pipeline.syncOperations.addHandler(ProxyHeaderReader(number, gate))
            }
            try channel.pipeline.syncOperations.addHandler(ArrivalWatch(number, gate))
        }.flatMap {
            base.setup(channel: channel, logger: logger)
        }
    }

    func handle(value: Base.Value, logger: Logger) async { await base.handle(value: value, logger: logger) }
}

/// Sees that bytes arrived, before TLS and HTTP are undone, and tells ``RequestTimeLimit`` at the other end of the pipeline.
final class ArrivalWatch: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    /// The connection's number at its gate.
    let number: UInt64
    /// The gate.
    let gate: ConnectionGate
    /// Called after what has arrived went all the way through the pipeline.
    var onArrival: (() -> Void)?

    init(_ number: UInt64, _ gate: ConnectionGate) {
        self.number = number
        self.gate = gate
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        context.fireChannelReadComplete()
        onArrival?()
    }
}
