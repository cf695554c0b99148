import CarnetClient
import CarnetAttester
import CarnetEvidence
import CarnetTesting
import Fixtures
import MeasurementLogs
import ServiceHarness
import TPM2
import Testing
import VerifierHarness

/// A machine with a volume, the verifier that trusts it, and a broker.
struct DiskScene: Sendable {
    let tpm: SoftwareTPM
    let device: TPMDevice
    let state: AttesterState
    let volume: TestVolume
    let broker: TestBroker
    let brokerURL: String
    let verifierURL: String
    let folder: TemporaryDirectory
    private let log: EventLogBuilder

    /// The PCRs to which the tests seal.
    static let selection = TPM.PCRSelectionList(bank: .sha256, indices: [0, 4, 7, 11])

    /// A machine that booted well, enrolled with a verifier; a volume that knows nothing of it.
    static func run(_ body: @Sendable (DiskScene) async throws -> Void) async throws {
        let tpm = try SoftwareTPM.copy(), log = GoodBoot.log(), folder = try TemporaryDirectory()
        try tpm.measure(log)
        let office = try Office(trusting: tpm), volume = try await TestVolume(in: folder)
        try await office.verifier.run { client in
            let broker = TestBroker(try await Office.relyingParty(client)), state = AttesterState()
            try await broker.run { url in
                let scene = DiskScene(
                    tpm: tpm, device: try tpm.device(), state: state, volume: volume, broker: broker, brokerURL: url,
                    verifierURL: "http://127.0.0.1:\(client.port)", folder: folder, log: log)
                let connection = try ServiceConnection(scene.verifierURL, allowPlainHTTP: true)
                _ = try await AttesterClient(connection).enrol(
                    scene.collector, name: "node-17", template: .rsa2048, logs: scene.logs)
                await connection.close()
                try await body(scene)
            }
        }
    }

    var collector: EvidenceCollector {
        EvidenceCollector(device: device, state: state, binding: KeyBinding(.tpmState, includesStorageKey: true))
    }

    var logs: LogSources { LogSources(eventLog: .bytes(log.bytes)) }

    /// Attests, and calls `body` with a client that shows the passport.
    ///
    /// - Parameter error: By how many seconds the machine's clock is wrong.
    func withClient<Value>(clockError error: Int64 = 0, _ body: (BrokerClient) async throws -> Value) async throws
        -> Value
    {
        let verifier = try ServiceConnection(verifierURL, allowPlainHTTP: true)
        let attested = try await AttesterClient(verifier).attest(collector, logs: logs)
        await verifier.close()
        let passport = try #require(attested.token.flatMap(HeldPassport.init))
        let connection = try ServiceConnection(brokerURL, allowPlainHTTP: true, service: "broker")
        do {
            let value = try await body(
                BrokerClient(
                    connection, passport: passport, collector: collector, logs: logs, clock: { Office.now + error }))
            await connection.close()
            return value
        } catch {
            await connection.close()
            throw error
        }
    }

    /// Enrols the volume.
    @discardableResult
    func enrol(
        _ change: (inout DiskEnrolment.Settings) -> Void = { _ in },
        observing observe: (DiskStep) throws -> Void = { _ in }
    ) async throws -> DiskEnrolment.Outcome {
        try await withClient { client in
            var settings = DiskEnrolment.Settings(name: "root", existingKey: volume.key, selection: Self.selection)
            change(&settings)
            return try await DiskEnrolment(
                VolumeFile(volume.path), device: device, broker: client, settings: settings, now: Office.now
            ).run(observing: observe)
        }
    }

    /// Whether the machine opens the volume by itself.
    func opensHere(pin: [UInt8]? = nil, demand: TokenDemand = TokenDemand(nil)) throws -> DiskUnlocking.Way? {
        try tried(pin: pin, demand: demand).opened?.way
    }

    /// What opens the volume here, or why nothing does.
    func tried(
        pin: [UInt8]? = nil, demand: TokenDemand = TokenDemand(nil)
    ) throws -> DiskUnlocking.Attempt {
        try DiskUnlocking(VolumeFile(volume.path), device: device).openHere(
            .test, pin: pin, demand: demand, now: Office.now)
    }

    /// Opens the volume with what the broker keeps, and seals again.
    func openFromBroker(observing observe: (DiskStep) throws -> Void = { _ in }) async throws {
        try await withClient { client in
            let unlocking = try DiskUnlocking(VolumeFile(volume.path), device: device)
            let opened = try await unlocking.open(.test, from: client, name: "root")
            try unlocking.reseal(
                opened, name: "root", selection: opened.selection ?? Self.selection, attested: nil, now: Office.now,
                observing: observe)
            try await unlocking.report(opened.selection ?? Self.selection, to: client, name: "root", now: Office.now)
        }
    }

    /// A PCR that the volume's key is sealed to, and that no policy of the verifier covers, changes.
    func changeState() throws {
        try device.extend(pcr: 11, bank: .sha256, digest: [UInt8](repeating: 5, count: 32))
    }

    var header: LUKS2Header {
        get throws { try VolumeFile(volume.path).header() }
    }
}
