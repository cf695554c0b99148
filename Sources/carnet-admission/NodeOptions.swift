import ArgumentParser
import CarnetAdmission

/// How long nodes keep their place without a passport, and how many may lose it at once.
struct NodeOptions: ParsableArguments {
    @Option(help: ArgumentHelp("From the end of a passport to the taint NoSchedule.", valueName: "seconds"))
    var lapseGrace: Int64 = TaintLimits().lapseGrace

    @Option(help: ArgumentHelp("From the end of a passport to the taint NoExecute.", valueName: "seconds"))
    var evictAfter: Int64 = TaintLimits().evictAfter

    @Option(
        help: ArgumentHelp(
            "From the taint NoSchedule of a machine that was refused or withdrawn to NoExecute.", valueName: "seconds"))
    var refusalGrace: Int64 = TaintLimits().refusalGrace

    @Option(
        help: ArgumentHelp(
            "How long after it was made a node that never showed a passport counts as new.", valueName: "seconds"))
    var newNodeAge: Int64 = TaintLimits().newNodeAge

    @Option(
        help: ArgumentHelp(
            "The most nodes with the taint, 1 to 100, one at least; more wait for an operator's word.",
            valueName: "percent"))
    var maximumTaintedPercent = TaintLimits().maximumTaintedPercent

    @Option(
        help: ArgumentHelp(
            "A node that is never tainted, as one of the control plane. Repeat it for more.", valueName: "node"))
    var exemptNode: [String] = []

    func apply(to configuration: inout AdmissionConfiguration) {
        configuration.limits.lapseGrace = lapseGrace
        configuration.limits.evictAfter = evictAfter
        configuration.limits.refusalGrace = refusalGrace
        configuration.limits.newNodeAge = newNodeAge
        configuration.limits.maximumTaintedPercent = maximumTaintedPercent
        configuration.exemptNodes = Set(exemptNode)
    }
}
