import Logging
import CarnetRecords
import CarnetRelyingParty
import CarnetService
import HTTPTypes
import StrictEncoding

/// `/escrow/v1/volumes/…`: machines keep the keys of their disks here, wrapped by their TPMs.
struct EscrowRoutes: Sendable {
    let calls: MachineCalls
    let releases: Releases
    let escrow: EscrowStore
    let policies: ReleasePolicyStore
    let clock: WallClock

    var routes: [Route] {
        [
            calls.route(.put, "/escrow/v1/volumes/{volume}", upTo: 16_384) { request, caller in
                let deposit = try Self.deposit(request, at: clock.now)
                try await requireEscrow(of: deposit.volume, caller)
                let now = clock.now
                let version = try await escrow.store(deposit, of: caller, now: now)
                return .json(
                    JSONWriter.object { writer in
                        writer.string("volume", deposit.volume)
                        writer.integer("version", version)
                        writer.integer("escrowed_at", now)
                    }, status: version == 1 ? .created : .ok)
            },
            calls.route(
                .post, "/escrow/v1/volumes/{volume}/release", upTo: ReleaseRoutes.maximumByteCount
            ) { request, caller in
                let volume = try request.pathParameter("volume")
                let body = try RequestObject(request.body, maximumDepth: 6)
                try body.requireOnly(["challenge", "evidence"])
                let released = try await releases.release(
                    .diskKey(volume, of: caller.subject, escrow, clock), to: caller, as: nil,
                    with: try ReleaseRoutes.answer(body))
                request.logger.notice("disk key released", metadata: ["volume": .string(volume)])
                return ServiceResponse(.ok, "application/jose", released.message)
            },
            calls.route(.put, "/escrow/v1/volumes/{volume}/sealing", upTo: 1024) { request, caller in
                let sealing = try Self.sealing(try RequestObject(request.body), at: clock.now)
                let volume = try request.pathParameter("volume")
                try await requireEscrow(of: volume, caller)
                guard try await escrow.note(sealing, of: volume, of: caller, now: clock.now) else {
                    throw Self.noEscrow
                }
                return .noContent
            },
            calls.route(.delete, "/escrow/v1/volumes/{volume}/versions/{version}") { request, caller in
                guard let version = Int64(try request.pathParameter("version")) else { throw Self.noEscrow }
                let volume = try request.pathParameter("volume")
                try await requireEscrow(of: volume, caller)
                guard try await escrow.drop(version, of: volume, of: caller, now: clock.now) else {
                    throw Self.noEscrow
                }
                return .noContent
            },
        ]
    }

    /// A machine may keep a key here, and drop one, where a policy would give it back, now or in another phase of its boot.
    private func requireEscrow(of volume: String, _ caller: MachineCaller) async throws {
        let now = clock.now
        let policies = try await policies.all().map(\.policy).filter { $0.covers(volume: volume) }
        if case .refused(let reasons) = ReleaseDecision.decide(
            policies, caller.result, form: nil, isFresh: true, at: now)
        {
            throw Problem.releaseDenied(reasons)
        }
    }

    private static func deposit(_ request: ServiceRequest, at now: Int64) throws -> EscrowStore.Deposit {
        let body = try RequestObject(request.body)
        try body.requireOnly(["blob", "recovery", "sealing", "volume_id", "replaces"])
        let recovery = try body.optionalString("recovery", upTo: EscrowStore.maximumRecoveryByteCount)
        if let recovery, recovery.split(separator: ".", omittingEmptySubsequences: false).count != 5 {
            throw Problem.malformed("This is no compact JWE.", member: "recovery")
        }
        let volumeID = try body.optionalString("volume_id", upTo: 64)
        guard volumeID.map(SecretName.isPart) ?? true else {
            throw Problem.malformed("This is no volume's identifier, such as its UUID.", member: "volume_id")
        }
        guard body.node["replaces"].map({ $0.boolean != nil }) ?? true else {
            throw Problem.malformed("true or false is needed here.", member: "replaces")
        }
        return EscrowStore.Deposit(
            volume: try request.pathParameter("volume"),
            blob: try body.bytes("blob", 1...EscrowStore.maximumBlobByteCount),
            recovery: recovery.map { Array($0.utf8) },
            sealing: body.node["sealing"] == nil ? nil : try sealing(try body.object("sealing"), at: now),
            volumeID: volumeID, replaces: body.node["replaces"]?.boolean ?? false)
    }

    private static func sealing(_ body: RequestObject, at now: Int64) throws -> EscrowStore.Sealing {
        try body.requireOnly(["pcrs", "sealed_at"])
        let pcrs = try body.string("pcrs", upTo: 512)
        guard StateBinding.isSelection(pcrs) else {
            throw Problem.malformed("This is no PCR selection, such as sha256:0,7.", member: body.place("pcrs"))
        }
        guard let time = body.node["sealed_at"]?.integer, time >= 0 else {
            throw Problem.malformed("A whole number of seconds since 1970 is needed.", member: body.place("sealed_at"))
        }
        // A machine whose clock is ahead says no more than that it was sealed now.
        return EscrowStore.Sealing(pcrs: pcrs, sealedAt: min(time, now))
    }

    static let noEscrow = Problem(
        "no-escrow", .notFound, title: "There is no key in escrow",
        detail: "This machine has no key of this volume here: enrol the disk with `carnet-agent disk enrol`.")
}

extension Releases.Item {
    /// A machine's own disk key.
    fileprivate static func diskKey(
        _ volume: String, of subject: String, _ escrow: EscrowStore, _ clock: WallClock
    ) -> Releases.Item {
        Releases.Item(
            name: "escrow/" + volume, covers: { $0.covers(volume: volume) },
            open: { try escrow.open(volume, of: subject, in: $0) }, missing: EscrowRoutes.noEscrow,
            note: { try escrow.noteRelease(of: volume, of: subject, at: clock.now, in: $0) })
    }
}
