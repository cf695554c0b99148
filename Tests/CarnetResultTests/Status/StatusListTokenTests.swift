import CarnetResult
import CarnetTesting
import Cryptography
import StrictEncoding
import Testing

/// One forge signs lists. `good` is the draft's one-bit example of §4.1 with the times of its §5.1.
@Suite("Status list tokens")
struct StatusListTokenTests {
    static let good =
        #"{"sub":"https://a.example/1","iat":1686920170,"exp":2291720170,"ttl":43200,"status_list":{"bits":1,"lst":"eNrbuRgAAhcBXQ"}}"#
    private let forge: TokenForge
    private let keySet: JSONWebKeySet

    init() throws {
        forge = try TokenForge()
        keySet = try JSONWebKeySet(parsing: forge.keySet)
    }

    private func read(_ token: [UInt8]) throws(StatusListError) -> StatusListToken {
        try UnverifiedStatusListToken(parsing: token).verified(by: keySet)
    }

    /// The code of the error that reading a signed token with these parts ends in.
    private func fault(header: String? = nil, payload: String = good) throws -> StatusListError.Code? {
        let token = try forge.token(header: header ?? forge.statusListHeader, payload: payload)
        do throws(StatusListError) {
            _ = try read(token)
            return nil
        } catch {
            return error.code
        }
    }

    @Test("A signed list is read, and says what it says")
    func good() throws {
        let read = try read(forge.token(header: forge.statusListHeader, payload: Self.good))
        #expect(read.uri == "https://a.example/1" && read.issuedAt == 1_686_920_170 && read.expiresAt == 2_291_720_170)
        #expect(read.timeToLive == 43_200 && read.list.width == .one && read.list.bytes == [0xB9, 0xA3])
    }

    @Test("What is written is read again as it was", arguments: StatusList.Width.allCases)
    func roundTrip(width: StatusList.Width) throws {
        for count in [0, 1, 8, 1000, 100_000] {
            var list = try StatusList(width: width, count: count)
            for index in stride(from: 0, to: count, by: 3) { list.set(.invalid, at: index) }
            let written = StatusListToken(uri: "urn:x", issuedAt: 5, expiresAt: nil, timeToLive: nil, list: list)
            #expect(try read(forge.signingKey.sign(written)) == written)
        }
    }

    @Test(
        "Claims that are missing, doubled or of another kind are refused",
        arguments: [
            (#""sub":"https://a.example/1","#, "", StatusListError.Code.claims), (#""sub":"h"#, #""sub":" h"#, .claims),
            (#""sub":"https://a.example/1""#, #""sub":1"#, .claims),
            (#""sub":"https://a.example/1""#, #""sub":"""#, .claims),
            (#""iat":1686920170,"#, "", .claims), (#""iat":1686920170"#, #""iat":1686920170.0"#, .claims),
            (#""iat":1686920170"#, #""iat":-1"#, .claims), (#""iat":1686920170"#, #""iat":"1686920170""#, .claims),
            (#""iat":1686920170"#, #""iat":99999999999999999999"#, .claims),
            (#""exp":2291720170"#, #""exp":1686920170"#, .claims), (#""exp":2291720170"#, #""exp":null"#, .claims),
            (#""ttl":43200"#, #""ttl":0"#, .claims), (#""ttl":43200"#, #""ttl":-1"#, .claims),
            (#""ttl":43200"#, #""ttl":1e3"#, .claims), (#""status_list""#, #""list""#, .claims),
            (#"{"bits":1,"lst":"eNrbuRgAAhcBXQ"}"#, "[]", .claims), (#""bits":1,"#, "", .claims),
            (#""bits":1"#, #""bits":0"#, .claims), (#""bits":1"#, #""bits":3"#, .claims),
            (#""bits":1"#, #""bits":16"#, .claims), (#""bits":1"#, #""bits":-1"#, .claims),
            (#""bits":1"#, #""bits":1.0"#, .claims), (#""bits":1"#, #""bits":"1""#, .claims),
            (#""bits":1"#, #""bits":1,"bits":1"#, .claims), (#""iat""#, #""iat":1,"iat""#, .claims),
            (#""lst":"eNrbuRgAAhcBXQ""#, #""lst":7"#, .claims),
            (#""lst":"eNrbuRgAAhcBXQ""#, #""lst":"eNrbuRgAAhcBXQ==""#, .claims),
            (#"AAhcBXQ"#, #"AAhcBXR"#, .claims), (#"eNrbuRgA"#, #"eNrbuRg+"#, .claims),
            (#""lst":"eNrbuRgAAhcBXQ""#, #""lst":"""#, .compression), (#""lst":"eNr"#, #""lst":"eN_"#, .compression),
        ])
    func claims(target: String, replacement: String, expected: StatusListError.Code) throws {
        let spoiled = Self.good.replacing(target, with: replacement)
        #expect(spoiled != Self.good)
        #expect(try fault(payload: spoiled) == expected)
    }

    @Test("Claims that nobody asked for are no obstacle; a list need not end nor name its lifetime")
    func leniency() throws {
        #expect(try fault(payload: Self.good.replacing(#""iat""#, with: #""iss":"https://a.example","iat""#)) == nil)
        #expect(try fault(payload: Self.good.replacing(#""exp":2291720170,"ttl":43200,"#, with: "")) == nil)
        let aggregated = Self.good.replacing(#""bits":1"#, with: #""aggregation_uri":"https://a.example","bits":1"#)
        #expect(try fault(payload: aggregated) == nil)
    }

    @Test("Only a header that a list must have is accepted")
    func headers() throws {
        let kid = forge.signingKey.keyID
        for type in ["statuslist+jwt", "STATUSLIST+jwt", "application/statuslist+jwt"] {
            #expect(try fault(header: #"{"typ":"\#(type)","alg":"ES256","kid":"\#(kid)"}"#) == nil)
        }
        for type in ["eat+jwt", "JWT", "dpop+jwt", "statuslist+cwt", "statuslist", ""] {
            #expect(try fault(header: #"{"typ":"\#(type)","alg":"ES256","kid":"\#(kid)"}"#) == .header)
        }
        for algorithm in ["none", "HS256", "ES384", "es256", "RS256", ""] {
            #expect(try fault(header: #"{"typ":"statuslist+jwt","alg":"\#(algorithm)","kid":"\#(kid)"}"#) == .header)
        }
        for member in ["jwk", "jku", "x5u", "x5c", "x5t", "x5t#S256", "crit", "b64", "zip", "enc"] {
            let header = #"{"typ":"statuslist+jwt","alg":"ES256","kid":"\#(kid)","\#(member)":[]}"#
            #expect(try fault(header: header) == .header)
        }
        #expect(try fault(header: #"{"typ":"statuslist+jwt","alg":"ES256","kid":"other"}"#) == .unknownKey)
        #expect(try fault(header: #"{"typ":"statuslist+jwt","alg":"ES256"}"#) == .header)
        #expect(
            try fault(header: #"{"typ":"statuslist+jwt","typ":"statuslist+jwt","alg":"ES256","kid":"\#(kid)"}"#)
                == .header)
        #expect(try fault(header: "[]") == .header)
    }

    @Test("Another key's signature, and no single flipped bit, is accepted")
    func signatures() throws {
        let token = try forge.token(header: forge.statusListHeader, payload: Self.good)
        let stranger = try TokenForge()
        let foreign = try stranger.token(header: forge.statusListHeader, payload: Self.good)
        #expect(throws: StatusListError(.signature, "")) { try read(foreign) }
        for bit in 0..<(token.count * 8) {
            var changed = token
            changed[bit / 8] ^= 1 << UInt8(bit % 8)
            #expect(throws: StatusListError.self, "bit \(bit)") { try read(changed) }
        }
        for count in 0..<token.count { #expect(throws: StatusListError.self) { try read(Array(token.prefix(count))) } }
        for byte in [UInt8(ascii: "A"), UInt8(ascii: "."), UInt8(ascii: "="), 0x0A] {
            #expect(throws: StatusListError.self) { try read(token + [byte]) }
        }
        let long = [UInt8](repeating: UInt8(ascii: "A"), count: UnverifiedStatusListToken.maximumByteCount + 1)
        #expect(throws: StatusListError(.tooLarge, "")) { try read(long) }
    }
}
