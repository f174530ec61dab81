using Godwit.ClickHouse;
using Godwit.Kafka;
using Godwit.Rebuild;

namespace Godwit.Checks;

/// <summary>A check of a table that is fed by Kafka, before its feed is held or gets a second consumer.</summary>
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

    /// <summary>Looks at each Kafka table that is to be held, or to get a second consumer.</summary>
    /// <param name="gateway">The server.</param>
    /// <param name="capabilities">What it can.</param>
    /// <param name="tables">The tables; one that is not there is left out, because nothing is read by it.</param>
    /// <param name="options">How long the pause may be, and what is known of the topics.</param>
    /// <param name="accepted">The checks whose refusal somebody has accepted.</param>
    /// <param name="clock">The clock.</param>
    /// <param name="ct">Ends it.</param>
    public static async Task<IReadOnlyList<CheckResult>> RunAsync(
        ClickHouseGateway gateway, Capabilities capabilities, IEnumerable<QualifiedName> tables, KafkaGateOptions options, IReadOnlyList<string> accepted, TimeProvider clock, CancellationToken ct)
    {
        List<CheckResult> results = [];
        foreach (var name in tables)
        {
            if (await TableReader.FindEngineAsync(gateway, name, ct) is null)
            {
                continue;
            }

            var (table, problem) = await KafkaTable.ReadAsync(gateway, name, ct);
            IReadOnlyList<CheckResult> found = table is null
                ? [All[0].Unreadable($"How far {name} is behind its topics, and how long these keep messages, cannot be read: {problem}")]
                : await RunAsync(gateway, capabilities, table, options, clock, ct);
            results.AddRange(found.Select(r => r.UnlessAccepted(accepted)));
        }

        return results;
    }

    /// <summary>Asks the server and the broker once, and runs them all.</summary>
    public static async Task<IReadOnlyList<CheckResult>> RunAsync(
        ClickHouseGateway gateway, Capabilities capabilities, KafkaTable table, KafkaGateOptions options, TimeProvider clock, CancellationToken ct)
    {
        var gate = await KafkaGate.ReadAsync(gateway, capabilities, table, options, clock, ct);
        return [.. All.Select(c => c.Run(gate)).OfType<CheckResult>()];
    }
}
