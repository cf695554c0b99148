public import CarnetAttester
internal import CarnetService
public import Logging

/// What a daemon needs to know.
public struct AgentConfiguration: Sendable {
    /// The machine.
    public var machine: any KeptMachine
    /// The name under which it enrols, and the verifier's URL: for the status.
    public var node: String
    public var verifier: String
    /// The agent's state directory, which no other agent may use.
    public var stateDirectory: String
    /// The socket's path.
    public var socket: String
    /// Who may ask for what.
    public var rules: PeerRules
    /// How often.
    public var rates = LocalRates(
        calls: RateLimit(perMinute: 1200, burst: 300), proofs: RateLimit(perMinute: 120, burst: 30))
    /// The files for others.
    public var files = AgentFiles(passport: nil, status: nil)
    /// How often the verifier is asked.
    public var pace = RenewalPace()
    /// How often the machine is looked at, in seconds.
    public var watchSeconds = 5
    /// The clocks.
    public var clock = KeeperClock.system
    public var logger: Logger

    /// A configuration with what has no default.
    public init(
        machine: any KeptMachine, node: String, verifier: String, stateDirectory: String, socket: String,
        rules: PeerRules, logger: Logger
    ) {
        self.machine = machine
        self.node = node
        self.verifier = verifier
        self.stateDirectory = stateDirectory
        self.socket = socket
        self.rules = rules
        self.logger = logger
    }
}
