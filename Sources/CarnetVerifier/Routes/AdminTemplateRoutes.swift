import CarnetRecords
import CarnetAppraisal
import CarnetService
import HTTPTypes
import Logging
import StrictEncoding

/// `/admin/v1/pcr-templates`: PCR values for policies that accept templates.
struct AdminTemplateRoutes: Sendable {
    let templates: PCRTemplateStore
    let clock: WallClock
    let queue: WorkQueue

    var routes: [Route] {
        [
            Route(.get, "/admin/v1/pcr-templates", access: .operator(atLeast: .viewer)) { _ in
                let list = try await templates.list()
                return .json(
                    JSONWriter.object { writer in
                        writer.array("pcr_templates") { writer in
                            for entry in list {
                                writer.object { writer in
                                    writer.string("name", entry.template.name)
                                    writer.string("sha256", Hexadecimal.encode(entry.template.digest))
                                    writer.string("created_at", RFC3339.format(entry.createdAt))
                                    writer.string("created_by", entry.createdBy)
                                }
                            }
                        }
                    })
            }.queued(in: queue),
            Route(
                .post, "/admin/v1/pcr-templates", access: .operator(atLeast: .policyAuthor),
                accepts: ["application/yaml"], upTo: PCRTemplate.maximumByteCount
            ) { request in
                let template = try PCRTemplate(parsing: request.body)
                try await templates.store(template, by: request.principal?.id ?? "", now: clock.now)
                request.logger.notice(
                    "PCR template stored",
                    metadata: [
                        "template": .string(template.name), "sha256": .string(Hexadecimal.encode(template.digest)),
                    ])
                return .json(
                    JSONWriter.object { writer in
                        writer.string("name", template.name)
                        writer.string("sha256", Hexadecimal.encode(template.digest))
                    }, status: .created)
            },
            Route(.delete, "/admin/v1/pcr-templates/{id}", access: .operator(atLeast: .policyAuthor)) { request in
                let name = try request.pathParameter("id")
                guard try await templates.remove(name, by: request.principal?.id ?? "", now: clock.now) else {
                    throw Problem.notFound("There is no PCR template of this name.")
                }
                request.logger.notice("PCR template removed", metadata: ["template": .string(name)])
                return .noContent
            },
        ]
    }
}
