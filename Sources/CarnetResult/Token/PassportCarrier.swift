public import Cryptography
public import StrictEncoding

/// How a passport travels with a certificate request (RFC 2986): inside it, as an extension that the request asks for, or behind it, as a
/// second block of the same PEM text. A request that has both says the same in both.
///
/// The extension is id-pe-cmw (RFC 9999): a conceptual message wrapper, here a JSON record in a UTF8String,
/// `["application/eat+jwt", "<base64url of the token>"]`. It is under the request's signature; the block is not, and needs no support in
/// whatever makes the request. Neither has to be secret: the passport is bound to the request's key.
public enum PassportCarrier {
    /// id-pe-cmw, as dotted numbers.
    public static let extensionIdentifier = "1.3.6.1.5.5.7.1.35"
    /// The type of the record's content.
    public static let mediaType = "application/eat+jwt"
    /// The label of a passport's PEM block, whose content is the compact token's ASCII.
    public static let blockLabel = "CARNET PASSPORT"
    /// The label of the request's own block.
    public static let requestLabel = "CERTIFICATE REQUEST"
    /// The longest passport that is carried, in bytes: a request has to have room for it.
    public static let maximumPassportByteCount = 8192
    /// The bit of a record's indicator that says "attestation results".
    private static let resultsBit: Int64 = 8

    /// Why a carrier holds no passport.
    public struct Unreadable: Error, Hashable, CustomStringConvertible {
        /// The reason, for people.
        public let description: String
    }

    /// The extension that carries a passport.
    ///
    /// - Parameter passport: The compact token, in ASCII.
    public static func certificateExtension(carrying passport: [UInt8]) -> CertificateRequest.RequestedExtension {
        let record = #"["\#(mediaType)",""# + Base64URL.encode(passport) + #""]"#
        return CertificateRequest.RequestedExtension(identifier: extensionIdentifier, der: DER.utf8String(record))
    }

    /// The block that carries a passport.
    public static func block(carrying passport: [UInt8]) -> PEM.Block {
        PEM.Block(label: blockLabel, content: passport)
    }

    /// The passport in the value of an extension of type id-pe-cmw.
    ///
    /// - Parameter der: The extension's value, without the octet string around it.
    public static func passport(inExtension der: [UInt8]) throws(Unreadable) -> [UInt8] {
        guard let text = DER.contentOfUTF8String(der) else {
            throw Unreadable(description: "it is no JSON record of a message wrapper (a UTF8String)")
        }
        let document: JSONDocument
        do {
            document = try JSONDocument(
                parsing: text, maximumByteCount: 2 * maximumPassportByteCount, maximumDepth: 1)
        } catch {
            throw Unreadable(description: "its record is not JSON that can be read in one way: \(error)")
        }
        guard let elements = document.root.elements, elements.count == 2 || elements.count == 3 else {
            throw Unreadable(description: "its record has not two or three elements")
        }
        guard elements[0].isString(equalTo: mediaType) else {
            throw Unreadable(description: "its record is not of the type \(mediaType)")
        }
        if elements.count == 3 {
            guard let indicator = elements[2].integer, (1...0xFFFF_FFFF).contains(indicator),
                indicator & resultsBit != 0
            else { throw Unreadable(description: "its record does not indicate attestation results") }
        }
        guard let passport = elements[1].withStringBytes({ Base64URL.decode($0) }) ?? nil else {
            throw Unreadable(description: "its record's value is not base64url without padding")
        }
        return try checked(passport)
    }

    /// The passport in a block with the label ``blockLabel``.
    public static func passport(in block: PEM.Block) throws(Unreadable) -> [UInt8] {
        guard block.label == blockLabel else {
            throw Unreadable(description: "a block with another label than \(blockLabel) carries none")
        }
        return try checked(block.content)
    }

    private static func checked(_ passport: [UInt8]) throws(Unreadable) -> [UInt8] {
        guard (1...maximumPassportByteCount).contains(passport.count) else {
            throw Unreadable(
                description: "it has \(passport.count) bytes; a passport has 1 to \(maximumPassportByteCount)")
        }
        return passport
    }
}
