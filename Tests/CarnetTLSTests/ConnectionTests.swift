import CarnetRelyingParty
import CarnetResult
import CarnetTLS
import CarnetTesting
import Cryptography
import Fixtures
import Foundation
import NIOCore
import NIOPosix
import NIOSSL
import Testing

/// A server on loopback that takes a passport, one line, and answers with what its connection proves; the client is `openssl s_client`.
@Suite("Passports over TLS connections", .serialized, .timeLimit(.minutes(5)))
struct ConnectionTests {
    private let forge: TokenForge, verifier: PassportVerifier, server: ClientKey

    init() throws {
        forge = try TokenForge()
        verifier = try PassportVerifier(
            keySet: forge.keySet,
            expectations: Expectations(issuer: "https://verifier.example", audience: "https://service.example"))
        server = try ClientKey(.generate())
    }

    /// Reads a line and answers once.
    private final class Desk: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer
        typealias OutboundOut = ByteBuffer
        private let peer: TLSPeer, verifier: PassportVerifier
        private var line: [UInt8] = []

        init(_ peer: TLSPeer, _ verifier: PassportVerifier) {
            self.peer = peer
            self.verifier = verifier
        }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            line += Array(unwrapInboundIn(data).readableBytesView)
            guard line.last == 0x0A else { return }
            let answer: String
            do throws(Refusal) {
                let result = try verifier.verify(Array(line.dropLast()), at: CertificateTests.now)
                answer = "proven \(try verifier.prove(result, by: peer, at: CertificateTests.now).proofID.utf8.count)\n"
            } catch {
                answer = "refused \(error.code.rawValue)\n"
            }
            context.writeAndFlush(wrapOutboundOut(ByteBuffer(string: answer)), promise: nil)
            context.close(promise: nil)
        }

        func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
    }

    /// What the server says to a client with these arguments that sends a passport.
    private func answer(to passport: [UInt8], _ arguments: [String], demands: Bool = true) async throws -> String {
        let certificate = try NIOSSLCertificate.fromPEMFile(server.certificateFile())
        let key = try NIOSSLPrivateKey(file: server.keyFile, format: .der)
        var configuration = TLSConfiguration.makeServerConfiguration(
            certificateChain: certificate.map { .certificate($0) }, privateKey: .privateKey(key))
        if demands { configuration.demandClientCertificates() }
        let context = try NIOSSLContext(configuration: configuration), verifier = verifier
        let channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    let peer = TLSPeer(), handlers = peer.handlers(context)
                    try channel.pipeline.syncOperations.addHandlers([
                        handlers.tls, handlers.observer, Desk(peer, verifier),
                    ])
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        let port = channel.localAddress?.port ?? 0
        let text = try await client(port, passport, arguments)
        try await channel.close()
        return text.split(separator: "\n").first { $0.hasPrefix("proven") || $0.hasPrefix("refused") }.map(String.init)
            ?? "closed"
    }

    /// `openssl s_client` with `-quiet` stays until the server closes, also when its input has ended.
    private func client(_ port: Int, _ passport: [UInt8], _ arguments: [String]) async throws -> String {
        try await withCheckedThrowingContinuation { continuation in
            Thread.detachNewThread {
                continuation.resume(
                    with: Result {
                        let ended = try Witness(path: "/usr/bin/openssl").run(
                            ["s_client", "-connect", "127.0.0.1:\(port)", "-quiet"] + arguments,
                            input: passport + [0x0A])
                        return String(decoding: ended.output, as: UTF8.self)
                    })
            }
        }
    }

    private func arguments(_ client: ClientKey) throws -> [String] {
        ["-cert", try client.certificateFile(), "-key", client.keyFile, "-keyform", "DER"]
    }

    @Test("A self-signed certificate for the passport's key proves it", arguments: ["-tls1_3", "-tls1_2"])
    func good(version: String) async throws {
        let passport = try forge.signingKey.mint(forge.result(issuedAt: CertificateTests.now))
        let own = try arguments(ClientKey(forge.holderKey)) + [version]
        let said = try await answer(to: passport, own)
        #expect(said == "proven 43", "\(said)")
    }

    @Test("Another key's certificate connects and proves nothing; no certificate does not connect")
    func bad() async throws {
        let passport = try forge.signingKey.mint(forge.result(issuedAt: CertificateTests.now))
        let other = try arguments(ClientKey(.generate()))
        #expect(try await answer(to: passport, other) == "refused proof-key")
        #expect(try await answer(to: passport, []) == "closed")
        let old = try forge.signingKey.mint(forge.result(issuedAt: CertificateTests.now - 400))
        let own = try arguments(ClientKey(forge.holderKey))
        #expect(try await answer(to: old, own) == "refused expired")
    }

    @Test("A server that forgot to demand certificates gets no proof")
    func undemanded() async throws {
        let passport = try forge.signingKey.mint(forge.result(issuedAt: CertificateTests.now))
        let own = try arguments(ClientKey(forge.holderKey))
        #expect(try await answer(to: passport, own, demands: false) == "refused proof-key")
    }
}
