public import NIOCore
internal import NIOTLS

/// Tells a ``TLSPeer`` when its handshake and its connection have ended. All else passes through.
public final class TLSPeerObserver: ChannelInboundHandler {
    public typealias InboundIn = ByteBuffer
    public typealias InboundOut = ByteBuffer

    private let peer: TLSPeer

    init(_ peer: TLSPeer) { self.peer = peer }

    /// The end of the handshake: the client's signature with its certificate's key was good.
    public func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case .handshakeCompleted? = event as? TLSUserEvent { peer.handshakeEnded() }
        context.fireUserInboundEventTriggered(event)
    }

    /// The end of the connection, and of what it proved.
    public func channelInactive(context: ChannelHandlerContext) {
        peer.connectionEnded()
        context.fireChannelInactive()
    }
}
