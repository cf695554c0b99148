import CarnetStorage
import Fixtures
import HTTPTypes
import ServiceHarness
import StrictEncoding
import Testing
import VerifierHarness

@testable import CarnetRecords
@testable import CarnetVerifier

/// Receivers that are down, slow or hostile.
@Suite(.timeLimit(.minutes(5))) struct WebhookDeliveryTests {
    @Test("A receiver that fails gets the same message again, with the same identifier, a new time and a new signature")
    func again() async throws {
        let verifier = try verifierWithWebhooks(), receiver = ScriptedReceiver()
        try await verifier.run { client in
            try await receiver.run { url in
                receiver.answers(.status(500))
                let (id, _) = try await verifier.subscribe(url, client)
                try await verifier.withdraw(client)
                let failed = try await verifier.wait(id, client) { $0["attempts"]?.integer == 1 }
                #expect(failed["state"]?.string == "waiting" && failed["last_status"]?.integer == 500)
                // Nothing ever arrived: that is not how a subscription works.
                #expect(try await verifier.webhook(id, client)["state"]?.string == "failing")
                receiver.answers(.status(200))
                verifier.clock.advance(by: 6)
                let delivered = try await verifier.wait(id, client) { $0["state"]?.string == "delivered" }
                #expect(delivered["attempts"]?.integer == 2 && delivered["last_error"] == nil)
                let messages = receiver.messages
                #expect(
                    messages.count == 2 && Set(messages.map(\.id)).count == 1 && Set(messages.map(\.body)).count == 1)
                #expect(Set(messages.map(\.timestamp)).count == 2 && Set(messages.map(\.signature)).count == 2)
                #expect(try await verifier.webhook(id, client)["state"]?.string == "working")
            }
        }
    }

    @Test(
        "Other statuses than 2xx are failures; redirects are not followed", arguments: [300, 304, 404, 410, 429, 503])
    func statuses(_ code: Int) async throws {
        let verifier = try verifierWithWebhooks(), receiver = ScriptedReceiver()
        try await verifier.run { client in
            try await receiver.run { url in
                receiver.answers(.status(code))
                let (id, _) = try await verifier.subscribe(url, client)
                try await verifier.withdraw(client)
                let failed = try await verifier.wait(id, client) { $0["attempts"]?.integer == 1 }
                #expect(failed["state"]?.string == "waiting" && failed["last_status"]?.integer == Int64(code))
            }
        }
    }

    @Test("A redirect leads nowhere") func redirect() async throws {
        let verifier = try verifierWithWebhooks(), receiver = ScriptedReceiver(), target = ScriptedReceiver()
        try await verifier.run { client in
            try await target.run { targetURL in
                try await receiver.run { url in
                    receiver.answers(.redirect(targetURL))
                    let (id, _) = try await verifier.subscribe(url, client)
                    try await verifier.withdraw(client)
                    let failed = try await verifier.wait(id, client) { $0["attempts"]?.integer == 1 }
                    #expect(failed["last_status"]?.integer == 307 && target.messages.isEmpty)
                }
            }
        }
    }

    @Test("Retry-After is kept to") func retryAfter() async throws {
        let verifier = try verifierWithWebhooks(), receiver = ScriptedReceiver()
        try await verifier.run { client in
            try await receiver.run { url in
                receiver.answers(.later(1000))
                let (id, _) = try await verifier.subscribe(url, client)
                try await verifier.withdraw(client)
                _ = try await verifier.wait(id, client) { $0["attempts"]?.integer == 1 }
                verifier.clock.advance(by: 900)
                try await Task.sleep(for: .milliseconds(200))
                #expect(receiver.messages.count == 1)
                verifier.clock.advance(by: 101)
                try await receiver.wait(for: 2)
                #expect(receiver.messages.count == 2)
            }
        }
    }

    @Test("An endless answer is cut off, and counts by its status") func huge() async throws {
        let verifier = try verifierWithWebhooks(), receiver = ScriptedReceiver()
        try await verifier.run { client in
            try await receiver.run { url in
                receiver.answers(.huge)
                let (id, _) = try await verifier.subscribe(url, client)
                try await verifier.withdraw(client)
                let delivered = try await verifier.wait(id, client) { $0["state"]?.string == "delivered" }
                #expect(delivered["attempts"]?.integer == 1)
            }
        }
    }

    @Test("A receiver that does not answer in time holds up nobody else") func slow() async throws {
        let verifier = try verifierWithWebhooks { $0.receiverTimeout = 10 }
        let slow = ScriptedReceiver(), quick = ScriptedReceiver()
        try await verifier.run { client in
            try await slow.run { slowURL in
                try await quick.run { quickURL in
                    slow.answers(.slow(.seconds(20)))
                    let (id, _) = try await verifier.subscribe(slowURL, client, named: "slow")
                    _ = try await verifier.subscribe(quickURL, client, named: "quick")
                    for _ in 0..<3 { try await verifier.withdraw(client) }
                    try await quick.wait(for: 3)
                    // All three have come, and the slow receiver is still waited for.
                    var state = try await verifier.webhook(id, client)
                    #expect(quick.messages.count == 3 && slow.messages.count <= 1)
                    #expect(state["failures"]?.integer == 0, "\(state)")
                    for _ in 0..<600 {
                        if state["failures"]?.integer != 0 { break }
                        try await Task.sleep(for: .milliseconds(50))
                        state = try await verifier.webhook(id, client)
                    }
                    #expect(state["last_error"]?.string == "The receiver did not answer within 10 seconds.", "\(state)")
                }
            }
        }
    }

    @Test("Messages about a machine arrive in their order, also after failures") func order() async throws {
        let verifier = try verifierWithWebhooks(), receiver = ScriptedReceiver()
        try await verifier.run { client in
            try await receiver.run { url in
                receiver.answers(.status(503))
                let machine = SimulatedMachine(try SimulatedTPM(), client)
                try await machine.enrol(administrator: verifier.administrator)
                let (id, _) = try await verifier.subscribe(url, client)
                for log in [SimulatedTPM.badLog, SimulatedTPM.goodLog, SimulatedTPM.badLog, SimulatedTPM.goodLog] {
                    machine.tpm.reboot(log)
                    _ = try await machine.answer(machine.session())
                }
                try await receiver.wait(for: 1)
                try await Task.sleep(for: .milliseconds(200))
                // The first has failed, and those behind it wait for it.
                #expect(receiver.messages.count == 1)
                receiver.answers(.status(200))
                verifier.clock.advance(by: 6)
                _ = try await receiver.wait(for: 5)
                #expect(
                    receiver.messages.map(\.type) == [
                        "node.failed", "node.failed", "node.recovered", "node.failed", "node.recovered",
                    ])
                #expect(receiver.messages[0].id == receiver.messages[1].id)
                _ = id
            }
        }
    }

    @Test("A receiver that is down for long is shown as failing, and what is given up stands in ledger and metrics")
    func failing() async throws {
        let verifier = try verifierWithWebhooks(), receiver = ScriptedReceiver()
        try await verifier.run { client in
            let (id, _) = try await receiver.run { url in try await verifier.subscribe(url, client) }
            // Nobody listens there any more.
            try await verifier.withdraw(client)
            for attempt in 1...3 {
                _ = try await verifier.wait(id, client) { $0["attempts"]?.integer == Int64(attempt) }
                if attempt < 3 { verifier.clock.advance(by: 25) }
            }
            let state = try await verifier.webhook(id, client)
            #expect(
                state["state"]?.string == "failing" && state["failing_since"]?.string != nil
                    && state["waiting"]?.integer == 1)
            #expect(state["last_error"]?.string?.contains("cannot be reached") == true, "\(state)")
            verifier.clock.advance(by: WebhookRetry.maximumAge + 100)
            let lost = try await verifier.wait(id, client) { $0["state"]?.string == "given-up" }
            #expect(lost["state"]?.string == "given-up")
            let ledger = Ledger(try await verifier.database.open())
            let losses = try await ledger.read { try $0.rows("SELECT * FROM ledger WHERE kind = 'webhook'") }
            #expect(losses.count == 1)
            let body = try JSONDocument(parsing: try #require(losses.first).bytes("body"), maximumByteCount: 4096).root
            #expect(body["reason"]?.string == "age" && body["message"]?.string == lost["id"]?.string)
            // Metrics are counted after the database has it.
            let isCounted = try await eventually {
                let metrics = try MetricsText(parsing: await client.call(.get, "/metrics").text)
                return metrics["carnet_webhook_messages_lost_total{reason=\"age\"}"] == 1
                    && metrics["carnet_webhook_attempts_total{outcome=\"unreachable\"}"] == 4
                    && metrics["carnet_webhook_receivers_failing"] == 1
                    && metrics["carnet_webhook_messages_waiting"] == 0
            }
            #expect(isCounted)
            #expect(try await ledger.faults().isEmpty)
            // It is still there.
            #expect(
                try await client.call(.get, "/admin/v1/webhooks/\(id)", token: verifier.administrator).status == 200)
        }
    }

    @Test("What was committed and not yet sent is sent by the next verifier") func restart() async throws {
        let receiver = ScriptedReceiver()
        let verifier = try verifierWithWebhooks { $0.webhookInterval = .seconds(3600) }
        try await receiver.run { url in
            try await verifier.run { client in
                _ = try await verifier.subscribe(url, client)
                try await Task.sleep(for: .milliseconds(300))
                try await verifier.withdraw(client)
            }
            #expect(receiver.messages.isEmpty)
            try await verifier.run { _ in try await receiver.wait(for: 1) }
            #expect(receiver.messages.map(\.type) == ["passports.revoked"])
        }
    }

    @Test("Of too many that wait the oldest are dropped, and the ledger says how many") func overflow() async throws {
        let folder = try TemporaryDirectory(), database = try await testDatabase(), ledger = Ledger(database)
        let keys = try await KeyStore.open(database, .file(folder.path + "/kek"), .verifier)
        let store = keys.webhooks(ledger), queue = keys.webhookQueue(ledger)
        let (webhook, _) = try await store.add(
            name: "pager", url: WebhookURL("https://pager.example/", ReceiverRules()), events: [.policyChanged],
            labels: .none, by: "x", now: 1)
        for time in 0..<8 { _ = try await store.test(webhook.id, by: "x", now: Int64(time)) }
        #expect(try await queue.tidy(webhook.id, at: 10, maximumWaiting: 3) == 5)
        #expect(try await queue.tidy(webhook.id, at: 10, maximumWaiting: 3) == 0)
        let all = try #require(try await store.deliveries(of: webhook.id, 100))
        #expect(all.map(\.state) == ["waiting", "waiting", "waiting"] + [String](repeating: "dropped", count: 5))
        let losses = try await ledger.read { try $0.rows("SELECT body FROM ledger WHERE kind = 'webhook'") }
        let body = try JSONDocument(parsing: try #require(losses.first).bytes("body"), maximumByteCount: 4096).root
        #expect(losses.count == 1 && body["messages"]?.integer == 5 && body["reason"]?.string == "overflow")
        // A week later they are forgotten; what waits is not.
        _ = try await queue.tidy(webhook.id, at: 11 + 7 * 86_400)
        #expect(try await store.deliveries(of: webhook.id, 100)?.map(\.state) == ["waiting", "waiting", "waiting"])
        #expect(try await ledger.faults().isEmpty)
    }

    @Test(
        "Of too many that wait the longest lane gives way: a machine that flaps does not push out what is told of others"
    )
    func fairOverflow() async throws {
        let folder = try TemporaryDirectory(), database = try await testDatabase(), ledger = Ledger(database)
        let keys = try await KeyStore.open(database, .file(folder.path + "/kek"), .verifier)
        let queue = keys.webhookQueue(ledger)
        let (webhook, _) = try await keys.webhooks(ledger).add(
            name: "pager", url: WebhookURL("https://pager.example/", ReceiverRules()), events: [.policyChanged],
            labels: .none, by: "x", now: 1)
        // The quiet machine's message is the oldest of all.
        let messages = [("quiet", 0)] + (0..<9).map { ("flapping", $0) } + [("other", 0)]
        try await database.write { connection in
            for (time, (lane, number)) in messages.enumerated() {
                try connection.execute(
                    """
                    INSERT INTO webhook_deliveries
                        (webhook, lane, number, id, event, body, created_at, state, attempts, next_at)
                    VALUES (\(webhook.id), \(lane), \(Int64(number)), \("m\(time)"), 'node.failing', \([0x7B]), \(Int64(time)),
                        'waiting', 0, 0)
                    """)
            }
        }
        #expect(try await queue.tidy(webhook.id, at: 20, maximumWaiting: 4) == 7)
        let left = try await database.read { connection in
            try connection.rows(
                "SELECT lane, number FROM webhook_deliveries WHERE state = 'waiting' ORDER BY lane, number"
            )
            .map { "\(try $0.text("lane")) \(try $0.integer("number"))" }
        }
        #expect(left == ["flapping 7", "flapping 8", "other 0", "quiet 0"])
    }

    @Test("What was put off while the clock was ahead is not put off until the clock has caught up") func clockAhead()
        async throws
    {
        let folder = try TemporaryDirectory(), database = try await testDatabase(), ledger = Ledger(database)
        let keys = try await KeyStore.open(database, .file(folder.path + "/kek"), .verifier)
        let queue = keys.webhookQueue(ledger), day: Int64 = 86_400
        let (webhook, _) = try await keys.webhooks(ledger).add(
            name: "pager", url: WebhookURL("https://pager.example/", ReceiverRules()), events: [.policyChanged],
            labels: .none, by: "x", now: 1)
        _ = try await keys.webhooks(ledger).test(webhook.id, by: "x", now: 1)
        // Another replica, thirty days ahead, took the subscription, failed, and put message and receiver off.
        let ahead = 30 * day
        #expect(try await queue.lease(webhook.id, to: "other", at: ahead, for: 30))
        let delivery = try #require(try await queue.next(webhook.id, at: ahead))
        try await queue.settle(delivery, .again(at: ahead + 60), status: nil, error: "late", at: ahead)
        try await database.write { try $0.execute("UPDATE webhook_receivers SET resumes_at = \(ahead + 60)") }
        #expect(try await queue.due(at: 100) == [webhook.id])
        #expect(try await queue.lease(webhook.id, to: "b", at: 100, for: 30))
        #expect(try await queue.next(webhook.id, at: 100)?.id == delivery.id)
        // A pause of the usual length is kept to.
        try await queue.settle(delivery, .again(at: 160), status: nil, error: "late", at: 100)
        #expect(try await queue.next(webhook.id, at: 159) == nil)
    }

    @Test("A subscription is one verifier's at a time, and the next one's when its time is over") func lease()
        async throws
    {
        let folder = try TemporaryDirectory(), database = try await testDatabase(), ledger = Ledger(database)
        let keys = try await KeyStore.open(database, .file(folder.path + "/kek"), .verifier)
        let queue = keys.webhookQueue(ledger)
        let (webhook, _) = try await keys.webhooks(ledger).add(
            name: "pager", url: WebhookURL("https://pager.example/", ReceiverRules()), events: [.policyChanged],
            labels: .none, by: "x", now: 1)
        _ = try await keys.webhooks(ledger).test(webhook.id, by: "x", now: 1)
        #expect(try await queue.due(at: 1) == [webhook.id])
        #expect(try await queue.lease(webhook.id, to: "a", at: 10, for: 30))
        #expect(try await queue.due(at: 39).isEmpty)
        #expect(try await queue.due(at: 40) == [webhook.id])
        #expect(try await !queue.lease(webhook.id, to: "b", at: 39, for: 30))
        #expect(try await queue.lease(webhook.id, to: "a", at: 39, for: 1))
        #expect(try await queue.lease(webhook.id, to: "b", at: 40, for: 30))
        #expect(try await !queue.lease(webhook.id, to: "a", at: 41, for: 30))
        try await queue.release(webhook.id, by: "a", at: 41)
        #expect(try await !queue.lease(webhook.id, to: "a", at: 41, for: 30))
        try await queue.release(webhook.id, by: "b", at: 41)
        #expect(try await queue.lease(webhook.id, to: "a", at: 41, for: 30))
        #expect(try await !queue.lease("unknown", to: "a", at: 41, for: 30))
    }
}
