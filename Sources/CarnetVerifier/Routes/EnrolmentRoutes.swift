import CarnetRecords
import TPM2
import CarnetEvidence
import CarnetService
import HTTPTypes
import Logging
import StrictEncoding

/// `/enrolment/v1/…`.
struct EnrolmentRoutes: Sendable {
    let enrolment: Enrolment
    let queue: WorkQueue

    var routes: [Route] {
        [
            Route(
                .post, "/enrolment/v1/nodes", access: .attester, accepts: ["application/json"], upTo: 256 * 1024
            ) { request in
                let invitation = try await enrolment.begin(RequestObject(request.body))
                let record = invitation.record
                return .json(
                    JSONWriter.object { writer in
                        writer.string("id", record.id)
                        writer.base64URL("credential_blob", invitation.credential.idObject)
                        writer.base64URL("encrypted_secret", invitation.credential.encryptedSecret)
                        writer.base64URL("nonce", record.nonce)
                        writer.selection("pcr_selection", invitation.selection)
                        writer.string("expiry", RFC3339.format(record.expiresAt))
                    }, status: .created)
            }.queued(in: queue),
            Route(
                .post, "/enrolment/v1/nodes/{id}/activation", access: .attester, accepts: ["application/json"],
                upTo: Evidence.maximumByteCount
            ) { request in
                let node = try await enrolment.activate(try request.pathParameter("id"), request.body)
                request.logger.notice(
                    "node enrolled",
                    metadata: [
                        "node": .string(node.id), "name": .string(node.identity.name), "state": .string(node.state),
                        "endorsement": .string(node.identity.endorsement.rawValue),
                    ])
                return .json(
                    JSONWriter.object { writer in
                        writer.string("id", node.id)
                        writer.string("subject", node.subject)
                        writer.string("name", node.identity.name)
                        writer.string("ak", Hexadecimal.encode(node.identity.attestationKeyName))
                        writer.string("state", node.state)
                    })
            }.queued(in: queue).admittingLargeBodies { parameters in
                try await enrolment.requireOpen(parameters["id"] ?? "")
            },
        ]
    }
}
