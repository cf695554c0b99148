import CarnetEvidence
import HTTPTypes
import ServiceHarness
import StrictEncoding
import VerifierHarness

/// Machines and an operator who go on whatever happens, and remember what they were told.
struct Traffic: Sendable {
    let client: ServiceClient
    let administrator: String
    let heard = Acknowledgements()

    /// A call that a dying verifier may leave unanswered.
    private func tried<Value>(_ call: () async throws -> Value) async -> Value? {
        do { return try await call() } catch {
            heard.add { $0.failureCount += 1 }
            try? await Task.sleep(for: .milliseconds(20))
            return nil
        }
    }

    /// Enrols a machine, with as many attempts as it takes.
    func enrol(_ tpm: SimulatedTPM, _ name: String) async throws {
        while !Task.isCancelled {
            let id = await tried {
                try await SimulatedMachine(tpm, named: name, client).enrol(administrator: administrator)
            }
            guard let id else { continue }
            return heard.add { $0.machines.insert(id) }
        }
    }

    /// Enrols one machine after the other.
    func enrolMany() async throws {
        var number = 0
        while !Task.isCancelled {
            number += 1
            try await enrol(SimulatedTPM(), "crowd-\(number)")
            try? await Task.sleep(for: .milliseconds(200))
        }
    }

    /// A machine that wants one passport after the other, and shows every answer twice.
    func attest(_ tpm: SimulatedTPM, _ name: String) async throws {
        while !Task.isCancelled {
            let machine = SimulatedMachine(tpm, named: name, client)
            guard let session = await tried({ try await machine.session() }) else { continue }
            let evidence = try tpm.evidence(nonce: session.nonce, session.selection).bytes
            for _ in 0..<2 {
                guard let answer = await tried({ try await machine.send(evidence, to: session) }) else { continue }
                hear(answer, to: session.nonce)
            }
        }
    }

    private func hear(_ answer: ServiceClient.Answer, to nonce: [UInt8]) {
        guard answer.status == 200 else {
            // 409: the challenge is used. 502 to 504: nobody is there, or not the database.
            let isExpected = [409, 502, 503, 504].contains(answer.status)
            return heard.add {
                $0.failureCount += 1
                if !isExpected { $0.faults.append("\(answer.status): \(answer.text)") }
            }
        }
        guard let token = try? answer.json["result"]?.string, let id = Self.identifier(Array(token.utf8)) else {
            return heard.add { $0.faults.append("no passport: \(answer.text)") }
        }
        heard.add {
            $0.passports[id] = Array(token.utf8)
            $0.newest = id
            $0.answers[nonce, default: []].insert(id)
        }
    }

    /// An operator who withdraws passports that were just given out.
    func withdraw() async {
        while !Task.isCancelled {
            try? await Task.sleep(for: .milliseconds(200))
            let content = heard.now
            guard let id = content.newest, !content.withdrawn.contains(id) else { continue }
            heard.add { $0.tried.insert(id) }
            let answer = await tried {
                try await client.send(
                    .post, "/admin/v1/revocations", token: administrator, #"{"token":"\#(id)","reason":"a test"}"#)
            }
            guard let answer else { continue }
            if answer.status == 201 {
                heard.add { $0.withdrawn.insert(id) }
            } else if answer.status < 500 {
                heard.add { $0.faults.append("withdrawal of \(id): \(answer.status) \(answer.text)") }
            }
        }
    }

    /// Goes on with `traffic` while `body` runs.
    func during(
        _ traffic: @escaping @Sendable () async throws -> Void, body: () async throws -> Void
    ) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await traffic() }
            defer { group.cancelAll() }
            try await body()
        }
    }

    /// `jti` of a passport.
    private static func identifier(_ token: [UInt8]) -> String? {
        let parts = token.split(separator: UInt8(ascii: "."))
        guard parts.count == 3, let payload = Base64URL.decode(parts[1]) else { return nil }
        return try? JSONDocument(parsing: payload, maximumByteCount: 1 << 16).root["jti"]?.string
    }
}
