package import Cryptography
internal import Foundation
internal import NIOSSL
internal import NodeAdmission
internal import StrictEncoding

/// A client or serving certificate with its key, in the one file that a kubelet reads both from: whoever reads it, reads a pair.
package struct NodeCredential: Sendable, Hashable {
    /// PEM: the certificate, those that lead to its authority, and the key (PKCS #8).
    package let pem: [UInt8]
    /// The node in the certificate's subject.
    package let node: String
    /// Seconds since 1970.
    package let notBefore: Int64
    /// Seconds since 1970.
    package let notAfter: Int64

    /// The longest file that is read, in bytes.
    package static let maximumByteCount = 65_536

    /// Why a file or an answer is no such pair.
    package struct Unusable: Error, Hashable, CustomStringConvertible {
        package let description: String
    }

    /// A certificate that was issued for a key.
    ///
    /// - Parameter certificates: PEM, the node's own first.
    /// - Throws: ``Unusable`` for anything but a certificate of this key for this node.
    package init(certificates: [UInt8], key: PrivateKey, node: String) throws(Unusable) {
        let blocks: [PEM.Block], pkcs8: [UInt8]
        do {
            blocks = try PEM.blocks(in: certificates, maximumByteCount: Self.maximumByteCount, maximumCount: 16)
            pkcs8 = try key.pkcs8
        } catch { throw Unusable(description: "The certificate that was issued cannot be read: \(error).") }
        let text = blocks.map(\.text).joined() + PEM.Block(label: Self.keyLabel, content: pkcs8).text
        try self.init(parsing: Array(text.utf8))
        guard self.node.utf8.elementsEqual(node.utf8) else {
            throw Unusable(description: "The certificate that was issued is for \(self.node), not for \(node).")
        }
    }

    /// Reads a file's content.
    package init(parsing pem: [UInt8]) throws(Unusable) {
        let blocks: [PEM.Block]
        do throws(PEM.ParseError) {
            blocks = try PEM.blocks(in: pem, maximumByteCount: Self.maximumByteCount, maximumCount: 17)
        } catch { throw Unusable(description: "It is no PEM: \(error).") }
        guard blocks.count > 1, blocks.last?.label == Self.keyLabel,
            blocks.dropLast().allSatisfy({ $0.label == "CERTIFICATE" })
        else { throw Unusable(description: "It is not certificates and one key behind them.") }
        do {
            let certificate = try Certificate(der: blocks[0].content)
            let key = try PrivateKey(pkcs8: blocks[blocks.count - 1].content)
            guard try certificate.publicKey() == key.publicKey else {
                throw Unusable(description: "The certificate is for another key.")
            }
            node = try Self.node(in: certificate.subject)
            let dates = try NIOSSLCertificate(bytes: blocks[0].content, format: .der)
            notBefore = Int64(dates.notValidBefore)
            notAfter = Int64(dates.notValidAfter)
        } catch let error as Unusable {
            throw error
        } catch { throw Unusable(description: "Its certificate or key cannot be used: \(error).") }
        self.pem = pem
    }

    /// The node that a kubelet's subject, one line of RFC 2253 text, names: that and `system:nodes`, in either order, and nothing else.
    private static func node(in subject: String) throws(Unusable) -> String {
        let group = "O=" + NodeName.group, name = "CN=" + NodeName.userPrefix
        var node = ""
        if subject.hasPrefix(name), subject.hasSuffix("," + group) {
            node = String(subject.dropFirst(name.count).dropLast(group.count + 1))
        } else if subject.hasPrefix(group + "," + name) {
            node = String(subject.dropFirst(group.count + 1 + name.count))
        }
        guard NodeName.isValid(node) else { throw Unusable(description: "Its subject \(subject) names no node.") }
        return node
    }

    /// PKCS #8, unencrypted (RFC 5958).
    private static let keyLabel = "PRIVATE KEY"

    /// When the next one is due: after two thirds of its life, and a part of a twentieth of it, so that nodes that began together
    /// do not ask together.
    ///
    /// - Parameter jitter: From 0 up to 1.
    package func renewalDue(jitter: Double) -> Int64 {
        let life = max(notAfter - notBefore, 0)
        return notBefore + life / 3 * 2 - Int64(min(max(jitter, 0), 1) * Double(life / 20))
    }
}

extension NodeCredential {
    /// The file's content; `nil` when there is none, or it cannot be used.
    package init?(file: String) {
        guard let handle = FileHandle(forReadingAtPath: file),
            let data = try? handle.read(upToCount: Self.maximumByteCount + 1),
            let held = try? NodeCredential(parsing: [UInt8](data))
        else { return nil }
        self = held
    }
}
