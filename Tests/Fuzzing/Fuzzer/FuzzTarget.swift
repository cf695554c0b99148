import CarnetAdmission
import CarnetAppraisal
import CarnetAttester
import CarnetEvidence
import CarnetRelyingParty
import CarnetResult
import CarnetService
import CarnetTrustRefresh
import Cryptography
import Fixtures
import KubernetesAPI
import MeasurementLogs
import NodeAdmission
import ReferenceValues
import StrictEncoding
import TPM2

/// The parsers that face hostile bytes, each with what follows it while the bytes are still hostile.
enum FuzzTarget: String, CaseIterable {
    case quote
    case signature
    case `public`
    case eventLog = "event-log"
    case runtimeLog = "runtime-log"
    case signatureDatabase = "signature-database"
    case image
    case imaList = "ima-list"
    case evidence
    case keyBrokerEvidence = "kbs-evidence"
    case token
    case statusList = "status-list"
    case bundle
    case json
    case policy
    case referenceSet = "reference-set"
    case debianPackages = "debian-packages"
    case credential
    case importBlob = "import-blob"
    case proxyHeader = "proxy-header"
    case luks2Header = "luks2-header"
    case sealedMessage = "sealed-message"
    case keptTrust = "kept-trust"
    case certificateRequest = "certificate-request"
    case nodeRequest = "node-request"
    case kubernetesJSON = "kubernetes-json"
    case admissionReview = "admission-review"

    func run(_ bytes: [UInt8]) {
        switch self {
        case .quote:
            guard let attest = try? TPM.Attest(parsing: bytes) else { return }
            precondition(attest.bytes == bytes)
            if case .quote(let quote) = attest.attested { _ = quote.selection.selections.map(\.indices) }
        case .signature:
            guard let signature = try? TPM.Signature(parsing: bytes) else { return }
            precondition(signature.bytes == bytes)
        case .public:
            guard let area = try? TPM.Public(parsing: bytes) else { return }
            precondition(area.bytes == bytes)
            _ = try? area.publicKey()
            _ = try? AttestationKey(checking: area, endorsementKey: area.name)
            _ = try? EndorsementKey(checking: area)
        case .eventLog:
            guard let log = try? EventLog(parsing: bytes) else { return }
            for bank in log.banks {
                guard let replay = ReplayedEventLog(log, bank: bank.algorithm) else { continue }
                precondition(MeasuredBoot(replay).secureBoot == replay.secureBoot)
                for event in log.events { _ = (event.summary(in: bank.algorithm), event.untrustedContent) }
            }
        case .runtimeLog:
            guard let runtime = try? RuntimeLog(parsing: bytes),
                let firmware = try? EventLog(parsing: Self.firmwareLog),
                let log = try? firmware.appending(runtime), let replay = ReplayedEventLog(log, bank: .sha256)
            else { return }
            precondition(log.count == firmware.count + runtime.pcrRecords.count)
            precondition(MeasuredBoot(replay).secureBoot == ReplayedEventLog(firmware, bank: .sha256)?.secureBoot)
            for event in log.events { _ = event.summary(in: .sha256) }
        case .signatureDatabase:
            guard let database = try? SignatureDatabase(parsing: bytes[...]) else { return }
            precondition(database.signatures.reduce(0) { count, _ in count + 1 } == database.count)
            precondition(
                database.signatures.reduce(0) { $0 + 16 + $1.data.count } + 28 * database.lists.count == bytes.count)
        case .image:
            guard let image = try? PEImage(parsing: bytes) else { return }
            precondition(image.authenticodeDigest(.sha256).count == 32)
            _ = (image.predictedPCR11(.sha256), image.sections.map { image.content(ofSection: $0.name)?.count })
        case .imaList: Self.imaList(bytes)
        case .evidence:
            guard let evidence = try? Evidence(parsing: bytes) else { return }
            precondition((try? Evidence(parsing: evidence.bytes)) == evidence)
            _ = try? UnverifiedQuote(evidence)
        case .keyBrokerEvidence:
            guard let root = try? JSONDocument(parsing: bytes, maximumByteCount: 65_536).root,
                let sent = try? KeyBrokerEvidence(root, path: ""),
                let name = try? TPM.Name(parsing: [0, 11] + sent.qualifyingData)
            else { return }
            precondition(sent.qualifyingData.count == 32)
            let evidence = sent.evidence(of: name)
            precondition((try? Evidence(parsing: evidence.bytes)) == evidence)
            _ = try? UnverifiedQuote(evidence)
        case .token: Self.token(bytes)
        case .statusList: Self.statusList(bytes)
        case .bundle: Self.bundle(bytes)
        case .json:
            // The reader by hand and jansson accept the same texts and read the same from them.
            if let difference = JSONDifference.between(bytes) { preconditionFailure(difference) }
        case .policy:
            guard let policy = try? Policy(parsing: bytes) else { return }
            _ = (policy.selection.bytes, policy.warnings)
        case .referenceSet:
            guard let set = try? ReferenceSet(parsing: bytes), let written = try? set.bytes() else { return }
            precondition((try? ReferenceSet(parsing: written)) == set && (try? set.merging(set)) == set)
            precondition(ReferenceDifference(from: set, to: set).isEmpty)
        case .debianPackages:
            _ = DebianStatus(parsing: bytes)
            let diversions = DebianDiversions(parsing: bytes) ?? DebianDiversions()
            for entry in DebianChecksums(parsing: bytes)?.entries ?? [] {
                precondition(entry.md5.count == 16 && entry.path.first == 0x2F)
                _ = diversions.place(of: entry.path, ofPackage: "a")
            }
        case .credential:
            guard let credential = try? TPM.Credential(parsingToolsFile: bytes) else { return }
            precondition(credential.toolsFile == bytes)
        case .importBlob: Self.importBlob(bytes)
        case .luks2Header:
            // The checksum would stop the fuzzer at the door, so the bytes are also read as the JSON of a header that is right otherwise.
            _ = try? LUKS2Header(parsing: bytes)
            let header = try? LUKS2Header(parsing: LUKS2Header.bytes(withJSON: bytes))
            precondition(header.map { !$0.cipher.contains("null") && $0.tokens.count <= 32 } != false)
        case .sealedMessage:
            _ = try? PolicyApproval(parsing: bytes)
            _ = try? TPM.SealedPublic(parsing: bytes)
            guard let message = try? SealedMessage(parsing: bytes) else { return }
            precondition((try? SealedMessage(parsing: message.bytes)) == message)
        case .keptTrust:
            guard let kept = try? KeptTrust(parsing: bytes) else { return }
            precondition((try? KeptTrust(parsing: kept.bytes)) == kept)
        case .certificateRequest:
            guard let request = try? CertificateRequest(der: bytes) else { return }
            precondition(request.der == bytes && request.subject.allSatisfy { !$0.isEmpty })
            precondition(Set(request.extensions.map(\.identifier)).count == request.extensions.count)
            _ = request.isSignedByItsKey
        case .nodeRequest: Self.nodeRequest(bytes)
        case .kubernetesJSON: Self.kubernetesJSON(bytes)
        case .admissionReview: Self.admissionReview(bytes)
        case .proxyHeader:
            guard case .header(let header) = ProxyHeader.read(bytes) else { return }
            // It is all of what was looked at, and less of it is the beginning of one.
            precondition(header.byteCount <= min(bytes.count, ProxyHeader.maximumByteCount))
            precondition(ProxyHeader.read(bytes.prefix(header.byteCount)) == .header(header))
            precondition(ProxyHeader.read(bytes.prefix(header.byteCount - 1)) == .incomplete)
        }
    }

    /// A sealed secret's message; the bytes as a selection's text and as a passport that states one, too.
    private static func importBlob(_ bytes: [UInt8]) {
        let text = String(decoding: bytes.prefix(600), as: UTF8.self)
        _ = TPM.PCRSelectionList(text: text).map { precondition($0.text == text && $0.pcrCount > 0) }
        _ = try? StateBinding(inPassport: bytes)
        guard let message = try? ImportMessage(parsing: bytes) else { return }
        precondition((try? ImportMessage(parsing: message.bytes)) == message)
    }

    private static let firmwareLog = EventLogBuilder().bytes
    private static let allowList = IMAPathPattern("/tmp/**/?*.so").flatMap {
        try? IMAAllowList(excludedFiles: [$0], excludedBuffers: [$0])
    }

    /// A list, what its entries say, and a replay whose checkpoint is read back; the bytes as a checkpoint and as a pattern, too.
    private static func imaList(_ bytes: [UInt8]) {
        _ = IMACheckpoint(parsing: bytes).map { precondition($0.bytes == bytes) }
        _ = IMAPathPattern(String(decoding: bytes.prefix(64), as: UTF8.self))?.matches(bytes.dropFirst(64))
        guard let list = try? IMAList(parsing: bytes) else { return }
        var value = [UInt8](repeating: 0, count: 32)
        for entry in list.entries {
            precondition(allowList?.verdict(of: entry).isAllowed == false)
            _ = (entry.statesTrueDigest, entry.untrustedTemplateName, entry.fields)
            guard entry.pcr == 10 else { continue }
            let ones = [UInt8](repeating: 0xFF, count: 32)
            HashAlgorithm.sha256.extend(
                &value, with: entry.isViolation ? ones : HashAlgorithm.sha256.hash(entry.hashedData))
        }
        let match = IMAReplay.match(list, bank: .sha256, mode: .native, quoted: value).match
        precondition(match.map { IMACheckpoint(parsing: $0.checkpoint.bytes) == $0.checkpoint } == true)
        _ = match.map { IMABootAggregate.check(list, $0) { _, _ in value } }
    }

    /// A node's request that shows a stranger's passport, which must not be admitted; the bytes as a passport's extension and as YAML, too.
    private static func nodeRequest(_ bytes: [UInt8]) {
        if let blocks = try? PEM.blocks(in: bytes, maximumByteCount: 65_536, maximumCount: 4) {
            let text = Array(blocks.map(\.text).joined().utf8)
            precondition((try? PEM.blocks(in: text, maximumByteCount: 131_072, maximumCount: 4)) == blocks)
        }
        _ = (try? PassportCarrier.passport(inExtension: bytes)).map { passport in
            let written = PassportCarrier.certificateExtension(carrying: passport)
            precondition((try? PassportCarrier.passport(inExtension: written.der)) == passport)
        }
        guard let verifier else { return }
        for signer in NodeCertificateRequest.Signer.allCases {
            let purpose = signer == .kubeletServing ? "server auth" : "client auth"
            let request = NodeCertificateRequest(
                name: "a", signer: signer, request: bytes, usages: ["digital signature", purpose],
                expirationSeconds: 600, username: "system:node:node-17", groups: ["system:nodes"])
            if case .admit = AdmissionRules().decide(request, by: verifier, at: 1_800_000_000) {
                preconditionFailure("a stranger's passport was admitted")
            }
        }
    }

    /// What the reader of the Kubernetes API's JSON takes, it reads again from what it writes, and never more values than it was allowed.
    private static func kubernetesJSON(_ bytes: [UInt8]) {
        guard let value = try? JSONValue(parsing: bytes, maximumValueCount: 10_000) else { return }
        let written = value.bytes, count = value.valueCount
        precondition(count <= 10_000 && (try? JSONValue(parsing: written, maximumValueCount: count)) == value)
        precondition((try? JSONValue(parsing: written, maximumValueCount: count - 1)) == nil)
        let object = KubernetesObject(value)
        _ = (object.name, object.labels, object.annotations, object.spec, object.status)
    }

    /// What an API server, or a stranger, asks: the answer repeats whose it is, and no kubelet registers another's node.
    private static func admissionReview(_ bytes: [UInt8]) {
        guard let review = try? AdmissionReview(parsing: bytes) else { return }
        let rules = ReviewRules(gateUser: "gate", operatorGroups: ["sre"], exempt: ["control-1"])
        for answer in [rules.node(review), rules.approval(review)] {
            let body = try? JSONValue(parsing: review.body(answer)), response = body?["response"]
            precondition(response?["uid"]?.string.map { $0.utf8.elementsEqual(review.uid.utf8) } == true)
            var isRefused = false
            if case .refused = answer { isRefused = true }
            precondition(response?["allowed"]?.boolean == !isRefused)
        }
        guard review.operation == "CREATE", review.resource == "nodes", review.subresource.isEmpty,
            review.username.hasPrefix("system:node:"), rules.node(review) == .allowed
        else { return }
        let stated = review.object?.name ?? "", name = stated.isEmpty ? review.name : stated
        precondition(("system:node:" + name).utf8.elementsEqual(review.username.utf8))
    }

    private static let verifier: PassportVerifier? = {
        guard let key = try? SigningKey(PrivateKey.generate()) else { return nil }
        let keySet = JSONWebKeySet([key.keyID: key.publicKey]).bytes
        return try? PassportVerifier(keySet: keySet, expectations: Expectations(issuer: "i", audience: "a"))
    }()

    private static let listKey: (key: SigningKey, keySet: JSONWebKeySet)? = {
        guard let key = try? SigningKey(PrivateKey.generate()) else { return nil }
        return (key, JSONWebKeySet([key.keyID: key.publicKey]))
    }()

    /// A status list that a stranger signed, which must not be believed; and the same claims, or the bytes as a list's stream, read as if
    /// the issuer had signed them. What is read is written, signed, checked and read again.
    private static func statusList(_ bytes: [UInt8]) {
        guard let (key, keySet) = listKey else { return }
        precondition((try? StatusLists([bytes], keySet: keySet)) == nil)
        let stream = Array(#"{"sub":"a","iat":1,"status_list":{"bits":1,"lst":""#.utf8)
        let claims = [bytes, stream + Array(Base64URL.encode(bytes).utf8) + Array(#""}}"#.utf8)]
        let header = #"{"alg":"ES256","typ":"statuslist+jwt","kid":"a"}"#
        var tokens = [bytes]
        for claims in claims {
            tokens.append(
                Array("\(Base64URL.encode(Array(header.utf8))).\(Base64URL.encode(claims)).AA".utf8))
        }
        for token in tokens {
            guard let content = try? UnverifiedStatusListToken(parsing: token).unverifiedContent() else { continue }
            precondition(content.list.count <= StatusList.maximumCount && content.list[content.list.count] == nil)
            precondition(content.list.count == 0 || content.list[content.list.count - 1] != nil)
            guard content.list.bytes.count <= 65_536, let signed = try? key.sign(content) else { continue }
            precondition((try? UnverifiedStatusListToken(parsing: signed).verified(by: keySet)) == content)
        }
    }

    /// A stranger's bundle, which must not be believed; and the bytes as a remembered trust, and as the claims of a bundle beside a good
    /// chain. What is read is signed, checked and read again.
    private static func bundle(_ bytes: [UInt8]) {
        _ = (try? BundleTrust(parsing: bytes)).map { precondition((try? BundleTrust(parsing: $0.bytes)) == $0) }
        guard let (key, _) = listKey, let trust = try? BundleTrust(rootKey: key.keyID) else { return }
        precondition((try? TrustBundle(parsing: bytes, trusting: trust, at: 1_800_000_000)) == nil)
        let header = #"{"alg":"ES256","typ":"carnet-bundle+jwt","kid":"\#(key.keyID)"}"#
        let token = Array("\(Base64URL.encode(Array(header.utf8))).\(Base64URL.encode(bytes)).AA".utf8)
        guard let content = try? UnverifiedBundle(parsing: token).unverifiedContent(),
            let signed = try? key.sign(content, named: "a")
        else { return }
        let again = try? UnverifiedBundle(parsing: signed).verified(trusting: trust).content
        precondition(again == content)
    }

    /// A token as a passport, as a key set, and as an encrypted secret: none may be believed.
    private static func token(_ bytes: [UInt8]) {
        precondition((try? verifier?.verify(bytes, at: 1_800_000_000)) == nil)
        _ = try? JSONWebKeySet(parsing: bytes)
        _ = try? SecretMessage.open(bytes) { _ in [UInt8](repeating: 0, count: 32) }
    }
}

extension JSONValue {
    /// How many values this is: itself, and those in it.
    fileprivate var valueCount: Int {
        switch self {
        case .array(let elements): elements.reduce(1) { $0 + $1.valueCount }
        case .object(let members): members.values.reduce(1) { $0 + $1.valueCount }
        case .null, .boolean, .number, .string, .opaque: 1
        }
    }
}
