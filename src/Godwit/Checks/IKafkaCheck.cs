using Godwit.ClickHouse;
using Godwit.Kafka;

namespace Godwit.Checks;

/// <summary>A check of a table that is fed by Kafka, before its feed is held.</summary>
internal interface IKafkaCheck : ICheck
{
    /// <summary>What it found; null when it does not apply.</summary>
    CheckResult? Run(KafkaGate gate);
}

/// <summary>Every check of a Kafka table, and how they are run.</summary>
internal static class KafkaChecks
{
    /// <summary>All of them.</summary>
    public static IReadOnlyList<IKafkaCheck> All { get; } = [new KafkaLagCheck(), new KafkaRetentionCheck(), new KafkaMessagesCheck(), new KafkaRebalancesCheck()];

    /// <summary>Asks the server and the broker once, and runs them all.</summary>
    public static async Task<IReadOnlyList<CheckResult>> RunAsync(
        ClickHouseGateway gateway, Capabilities capabilities, KafkaTable table, KafkaGateOptions options, TimeProvider clock, CancellationToken ct)
    {
        var gate = await KafkaGate.ReadAsync(gateway, capabilities, table, options, clock, ct);
        return [.. All.Select(c => c.Run(gate)).OfType<CheckResult>()];
    }
}
