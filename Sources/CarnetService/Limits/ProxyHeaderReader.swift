import NIOCore

/// Takes the proxy's header off the beginning of a connection, before TLS and HTTP see anything of it, and tells its gate whose the
/// connection is. One without such a header is closed.
final class ProxyHeaderReader: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer

    private enum State {
        case reading(ByteBuffer)
        case passing
        case closed
    }

    private let number: UInt64
    private let gate: ConnectionGate
    private var state = State.reading(ByteBuffer())

    init(_ number: UInt64, _ gate: ConnectionGate) {
        self.number = number
        self.gate = gate
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch state {
        case .passing: context.fireChannelRead(data)
        case .closed: break
        case .reading(var buffer):
            var part = unwrapInboundIn(data)
            buffer.writeBuffer(&part)
            switch ProxyHeader.read(buffer.readableBytesView) {
            case .incomplete: state = .reading(buffer)
            case .refused: refuse(context, .proxyHeader)
            case .header(let header):
                if let source = header.source, let reason = gate.identify(number, context.channel, as: source) {
                    return refuse(context, reason)
                }
                state = .passing
                buffer.moveReaderIndex(forwardBy: header.byteCount)
                if buffer.readableBytes > 0 { context.fireChannelRead(wrapInboundOut(buffer)) }
            }
        }
    }

    private func refuse(_ context: ChannelHandlerContext, _ reason: Refusal) {
        state = .closed
        gate.cutOff(reason)
        context.close(promise: nil)
    }
}
