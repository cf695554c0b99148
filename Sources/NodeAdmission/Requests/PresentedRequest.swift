internal import CarnetResult
internal import Cryptography
internal import StrictEncoding

/// What a request's PEM text says: for which node, with which key, showing which passport. Read whole, and not yet believed.
struct PresentedRequest {
    let node: String
    let certificateRequest: CertificateRequest
    /// The compact token.
    let passport: [UInt8]

    /// The longest text that is read, in bytes.
    static let maximumByteCount = 65_536

    /// The shape of a request, by the rules that hold for every cluster.
    init(_ request: NodeCertificateRequest) throws(Denial) {
        let blocks = try Self.blocks(of: request.request)
        certificateRequest = try Self.certificateRequest(in: blocks[0])
        node = try Self.node(in: certificateRequest.subject)
        try Self.checkNames(certificateRequest, request.signer)
        try Self.checkRest(certificateRequest)
        passport = try Self.passport(in: certificateRequest, blocks.dropFirst().first)
    }

    /// One block or two: the request, which is all that the API server looks at, and a passport behind it.
    private static func blocks(of text: [UInt8]) throws(Denial) -> [PEM.Block] {
        let blocks: [PEM.Block]
        do throws(PEM.ParseError) {
            blocks = try PEM.blocks(in: text, maximumByteCount: maximumByteCount, maximumCount: 2)
        } catch {
            throw Denial(
                .requestUnreadable, "spec.request is not one or two PEM blocks and nothing else: \(error)",
                nextStep: "Ask with carnet-agent kubelet, or write the blocks as RFC 7468 does")
        }
        guard blocks.first?.label == PassportCarrier.requestLabel else {
            throw Denial(
                .requestUnreadable, "spec.request does not begin with a block \(PassportCarrier.requestLabel)",
                nextStep: "Ask with carnet-agent kubelet")
        }
        guard blocks.count == 1 || blocks[1].label == PassportCarrier.blockLabel else {
            throw Denial(
                .foreignBlock, "A block \(shown(blocks[1].label)) stands behind the request",
                nextStep: "Leave out every block but the request and one \(PassportCarrier.blockLabel)")
        }
        return blocks
    }

    private static func certificateRequest(in block: PEM.Block) throws(Denial) -> CertificateRequest {
        do throws(CryptographyError) {
            return try CertificateRequest(der: block.content)
        } catch {
            throw Denial(
                .requestUnreadable, "The certificate request cannot be read: \(error)",
                nextStep: "Ask with carnet-agent kubelet")
        }
    }

    /// One organization, `system:nodes`, and one common name, `system:node:` and the node's name; each alone in its set.
    private static func node(in subject: [[CertificateRequest.NameAttribute]]) throws(Denial) -> String {
        let names = subject.compactMap { $0.count == 1 ? $0[0] : nil }
        let organizations = names.filter {
            $0.identifier == CertificateRequest.NameAttribute.organization("").identifier
        }
        let commonNames = names.filter { $0.identifier == CertificateRequest.NameAttribute.commonName("").identifier }
        guard subject.count == 2, organizations.count == 1, commonNames.count == 1,
            isEqual(organizations[0].value, NodeName.group)
        else {
            throw Denial(
                .subjectNotAllowed,
                "The subject is not one organization \(NodeName.group) and one common name and nothing else",
                nextStep: "Ask with carnet-agent kubelet, which writes the subject as the API server wants it")
        }
        guard let node = NodeName.ofUser(commonNames[0].value) else {
            throw Denial(
                .nodeNameNotAllowed,
                "The common name \(shown(commonNames[0].value)) is not \(NodeName.userPrefix) and the name of a node",
                nextStep: "Ask for a node's name in lower case, as RFC 1123 writes host names")
        }
        return node
    }

    /// A client certificate names nothing beside its subject; a server certificate names hosts and addresses only.
    private static func checkNames(
        _ request: CertificateRequest, _ signer: NodeCertificateRequest.Signer
    ) throws(Denial) {
        switch signer {
        case .apiServerClientKubelet:
            guard request.alternativeNames == nil else {
                throw Denial(
                    .alternativeNamesNotAllowed, "A client certificate has no subject alternative names",
                    nextStep: "Ask for them with the signer \(NodeCertificateRequest.Signer.kubeletServing.rawValue)")
            }
        case .kubeletServing:
            guard let names = request.alternativeNames, names.otherCount == 0 else {
                throw Denial(
                    .alternativeNamesNotAllowed,
                    "A serving certificate needs host names or addresses, and has no names of other kinds",
                    nextStep: "Ask for the node's own name and addresses")
            }
        }
    }

    private static func checkRest(_ request: CertificateRequest) throws(Denial) {
        let known = [CertificateRequest.alternativeNameIdentifier, PassportCarrier.extensionIdentifier]
        if let other = request.extensions.first(where: { !known.contains($0.identifier) }) {
            throw Denial(
                .extensionNotAllowed, "The request asks for the extension \(shown(other.identifier))",
                nextStep: "Leave it out: only alternative names and the passport are allowed")
        }
        if let other = request.otherAttributes.first {
            throw Denial(
                .attributeNotAllowed, "The request has the attribute \(shown(other))", nextStep: "Leave it out")
        }
        guard request.publicKey.kind == .ellipticCurve(.p256) else {
            throw Denial(.keyNotAllowed, "The key is not on P-256", nextStep: "Ask for a key on P-256 with ECDSA")
        }
    }

    /// The passport in the extension, in the block behind the request, or in both, which then say the same.
    private static func passport(
        in request: CertificateRequest, _ block: PEM.Block?
    ) throws(Denial) -> [UInt8] {
        let carrier = request.extensions.first { $0.identifier == PassportCarrier.extensionIdentifier }
        let inside: [UInt8]?, behind: [UInt8]?
        do throws(PassportCarrier.Unreadable) {
            inside = try carrier.map { item throws(PassportCarrier.Unreadable) in
                try PassportCarrier.passport(inExtension: item.der)
            }
            behind = try block.map { block throws(PassportCarrier.Unreadable) in try PassportCarrier.passport(in: block)
            }
        } catch {
            throw Denial(
                .passportUnreadable, "The request's passport cannot be read: \(error)",
                nextStep: "Ask with carnet-agent kubelet")
        }
        if let inside, let behind, inside != behind {
            throw Denial(
                .passportsDiffer, "The passport in the request is another than the one behind it",
                nextStep: "Show one passport")
        }
        guard let passport = inside ?? behind else {
            throw Denial(
                .passportMissing, "The request shows no passport",
                nextStep:
                    "Let the machine attest: ask with carnet-agent kubelet, or outside of Kubernetes with carnet-agent attest --csr"
            )
        }
        return passport
    }

    /// Two texts are equal when their bytes are: Swift takes other spellings of the same characters for equal.
    static func isEqual(_ left: String, _ right: String) -> Bool { left.utf8.elementsEqual(right.utf8) }
}

/// At most a hundred characters of a stranger's text, none of which could move a terminal's cursor.
func shown(_ text: String) -> String {
    String(decoding: text.utf8.prefix(100).map { (0x20..<0x7F).contains($0) ? $0 : UInt8(ascii: "?") }, as: UTF8.self)
}
