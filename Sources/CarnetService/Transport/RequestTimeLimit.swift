import HTTPTypes
import NIOCore
import NIOHTTPTypes

/// Closes connections that take too long to say what they want or to hear the answer, and those whose answer says `Connection: close`.
///
/// An idle connection has a limit of its own; these are for what drips, byte after byte. A client is not blamed for what waits on our side:
/// no time is counted while an earlier request on the connection is not answered.
final class RequestTimeLimit: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPRequestPart
    typealias InboundOut = HTTPRequestPart
    typealias OutboundIn = HTTPResponsePart
    typealias OutboundOut = HTTPResponsePart

    private let limits: ServiceLimits
    private var watch: ArrivalWatch?
    private var reading: Scheduled<Void>?
    private var writing: Scheduled<Void>?
    /// The body that is being read: since when, and how many bytes of it came.
    private var body: (since: NIODeadline, byteCount: Int)?
    private var unansweredCount = 0
    /// Of these, how many have come whole. What was answered before its body ended is not among them, and neither is a request whose body the
    /// client withholds: whoever waits for the client has to make room for others.
    private var wholeCount: Int { max(0, unansweredCount - (body == nil ? 0 : 1)) }
    private var closes = false

    init(_ limits: ServiceLimits) { self.limits = limits }

    func handlerAdded(context: ChannelHandlerContext) {
        watch = try? context.pipeline.syncOperations.handler(type: ArrivalWatch.self)
        watch?.onArrival = { [unowned self] in arrived(context) }
        expectHead(context)
    }

    func handlerRemoved(context: ChannelHandlerContext) { end() }

    func channelInactive(context: ChannelHandlerContext) {
        end()
        context.fireChannelInactive()
    }

    private func end() {
        watch?.onArrival = nil
        watch = nil
        cancel()
        writing?.cancel()
        writing = nil
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head:
            cancel()
            body = (.now(), 0)
            unansweredCount += 1
        case .body(let part):
            body?.byteCount += part.readableBytes
        case .end:
            cancel()
            body = nil
            if wholeCount > 0, let watch { watch.gate.work(watch.number) }
        }
        context.fireChannelRead(data)
    }

    /// Something arrived, and went as far as it goes: whatever it was, it was not all.
    private func arrived(_ context: ChannelHandlerContext) {
        guard reading == nil, !closes else { return }
        if body != nil {
            expectBody(context)
        } else if unansweredCount == 0 {
            expectHead(context)
        }
    }

    private func expectHead(_ context: ChannelHandlerContext) {
        schedule(context, .seconds(Int64(limits.headSeconds)), .slowHead)
    }

    /// Waits for the rest of the body, for as long as what has come of it bought.
    private func expectBody(_ context: ChannelHandlerContext) {
        let grace = limits.bodyGraceSeconds
        reading = context.eventLoop.assumeIsolated().scheduleTask(in: .seconds(1)) { [self] in
            reading = nil
            guard let body else { return }
            guard unansweredCount <= 1 else {
                self.body?.since = .now()
                return expectBody(context)
            }
            let bought = grace + body.byteCount / max(1, limits.bodyBytesPerSecond)
            let allowed = TimeAmount.seconds(Int64(min(bought, limits.requestSeconds)))
            guard NIODeadline.now() - body.since < allowed else { return cutOff(context, .slowBody) }
            expectBody(context)
        }
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        switch unwrapOutboundIn(data) {
        case .head(let head):
            closes = head.headerFields[.connection]?.lowercased() == "close"
            context.write(data, promise: promise)
        case .end where closes:
            // The answer first, then the end of our half; the rest goes when the caller had time to read it.
            answered()
            context.writeAndFlush(data, promise: promise)
            context.close(mode: .output, promise: nil)
            cancel()
            schedule(context, .seconds(1), nil)
        case .end:
            answered()
            context.write(data, promise: promise)
        case .body:
            context.write(data, promise: promise)
        }
    }

    private func answered() {
        unansweredCount -= 1
        if wholeCount == 0, let watch { watch.gate.wait(watch.number) }
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        writing?.cancel()
        writing = nil
        if !context.channel.isWritable {
            let delay = TimeAmount.seconds(Int64(limits.answerSeconds))
            writing = context.eventLoop.assumeIsolated().scheduleTask(in: delay) { [self] in
                cutOff(context, .slowReader)
            }
        }
        context.fireChannelWritabilityChanged()
    }

    private func schedule(_ context: ChannelHandlerContext, _ delay: TimeAmount, _ reason: Refusal?) {
        guard reading == nil else { return }
        reading = context.eventLoop.assumeIsolated().scheduleTask(in: delay) { [self] in cutOff(context, reason) }
    }

    private func cutOff(_ context: ChannelHandlerContext, _ reason: Refusal?) {
        if let reason { watch?.gate.cutOff(reason) }
        context.close(promise: nil)
    }

    private func cancel() {
        reading?.cancel()
        reading = nil
    }
}
