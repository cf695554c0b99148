import ArgumentParser
import CarnetRecords
import CarnetServeOptions
import CarnetService
import CarnetServiceCommand
import CarnetVerifier

/// How much one client, one machine and all together may ask of a verifier.
struct LimitOptions: ParsableArguments {
    @OptionGroup var clients: ClientLimitOptions

    @Option(
        help: ArgumentHelp(
            "How often one machine may get evidence appraised in a minute; 0 for no limit.", valueName: "number"))
    var nodeRate = VerifierConfiguration.WorkLimits().nodeRate.perMinute

    @Option(help: ArgumentHelp("How often it may at once.", valueName: "number"))
    var nodeBurst = VerifierConfiguration.WorkLimits().nodeRate.burst

    @Option(
        help: ArgumentHelp(
            "How many enrolments and pieces of evidence are worked on at once.", valueName: "number"))
    var workRunning = VerifierConfiguration.WorkLimits().queue.running

    @Option(help: ArgumentHelp("How many wait for that; beyond, the answer is 503.", valueName: "number"))
    var workWaiting = VerifierConfiguration.WorkLimits().queue.waiting

    @Option(help: ArgumentHelp("How long one waits for that at most.", valueName: "seconds"))
    var workWaitSeconds = VerifierConfiguration.WorkLimits().queue.seconds

    /// Puts the limits into a configuration, which checks them.
    func apply(to configuration: inout VerifierConfiguration) throws {
        try clients.apply(to: &configuration.limits)
        configuration.workLimits.nodeRate = RateLimit(perMinute: nodeRate, burst: nodeBurst)
        configuration.workLimits.queue = WorkQueue.Size(
            running: workRunning, waiting: workWaiting, seconds: workWaitSeconds)
    }
}
