import CarnetService
package import CarnetVerifier

extension ReceiverRules {
    /// Webhooks may go to receivers of tests.
    package static var loopback: ReceiverRules {
        ReceiverRules(allowing: ["127.0.0.0/8"].compactMap { AddressRange($0) })
    }
}
