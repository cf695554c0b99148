import CarnetClient
public import TPM2

/// An enrolment and what it leaves in the attester's state directory.
public struct Enrolment: Sendable, Hashable {
    /// The name under which operators know the machine.
    public var name: String
    /// The attestation key.
    public var attestationKey: TPMDevice.AttestationKeyKind
    /// The endorsement key; `nil` for the one with a certificate.
    public var endorsementKey: TPM.EndorsementKeyTemplate?

    /// An enrolment under a name.
    public init(
        name: String, attestationKey: TPMDevice.AttestationKeyKind = .eccP256,
        endorsementKey: TPM.EndorsementKeyTemplate? = nil
    ) {
        self.name = name
        self.attestationKey = attestationKey
        self.endorsementKey = endorsementKey
    }

    /// Enrols, and keeps what the verifier said.
    ///
    /// - Throws: ``TPMDeviceError``, ``ServiceConnection/Failure``, ``LogError``, ``AttesterClient/Unreadable`` and
    ///   ``AttesterState/Unusable``.
    public func run(
        on device: TPMDevice, stateIn directory: String, with client: AttesterClient, logs: LogSources
    ) async throws -> AttesterClient.Enrolled {
        var state = try AttesterState(in: directory) ?? AttesterState(attestationKey: attestationKey)
        state.attestationKey = attestationKey
        // Before the verifier hears of it, so that what it enrolled is not forgotten here.
        try state.save(in: directory)
        let template = try endorsementKey ?? Self.certifiedTemplate(device)
        let collector = EvidenceCollector(device: device, state: state)
        let enrolled = try await client.enrol(collector, name: name, template: template, logs: logs)
        state.subject = enrolled.subject
        state.nodeName = name
        try state.save(in: directory)
        return enrolled
    }

    private static func certifiedTemplate(_ device: TPMDevice) throws(TPMDeviceError) -> TPM.EndorsementKeyTemplate {
        for template in TPM.EndorsementKeyTemplate.allCases {
            if try device.endorsementCertificate(template) != nil { return template }
        }
        return .eccP256
    }
}
