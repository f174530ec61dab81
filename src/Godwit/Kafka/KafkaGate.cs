using Godwit.ClickHouse;

namespace Godwit.Kafka;

/// <summary>What is asked of a feed from Kafka before it is held, or is to fill a second table.</summary>
internal sealed record KafkaGateOptions
{
    /// <summary>How long the feed may be held; zero when it is not held.</summary>
    public required TimeSpan Pause { get; init; }

    /// <summary>Whether it is held at all.</summary>
    public bool IsHeld => Pause > TimeSpan.Zero;

    /// <summary>How long the topics keep messages, as a person has said it; counts where the broker does not tell.</summary>
    public TimeSpan? Retention { get; init; }

    /// <summary>How many messages the table may be behind.</summary>
    public long MaxLag { get; init; } = 100_000;

    /// <summary>How long there must have been no trouble.</summary>
    public TimeSpan Calm { get; init; } = TimeSpan.FromMinutes(2);
}

/// <summary>Everything that the checks of a Kafka table look at, read once.</summary>
internal sealed record KafkaGate
{
    /// <summary>The table.</summary>
    public required KafkaTable Table { get; init; }

    /// <summary>What is asked of it.</summary>
    public required KafkaGateOptions Options { get; init; }

    /// <summary>Where it stands in its topics; null when the broker does not tell.</summary>
    public required KafkaLag? Lag { get; init; }

    /// <summary>Why the broker does not tell.</summary>
    public string? Problem { get; init; }

    /// <summary>Its consumers; null on a server that does not tell of them.</summary>
    public required IReadOnlyList<KafkaConsumer>? Consumers { get; init; }

    /// <summary>Asks the server and the broker.</summary>
    public static async Task<KafkaGate> ReadAsync(
        ClickHouseGateway gateway, Capabilities capabilities, KafkaTable table, KafkaGateOptions options, TimeProvider clock, CancellationToken ct)
    {
        var gate = new KafkaGate { Table = table, Options = options, Lag = null, Consumers = await KafkaConsumer.ReadAsync(gateway, capabilities, table.Name, ct) };
        using var client = new KafkaClient(table.Brokers, clock);
        try
        {
            return gate with { Lag = await KafkaLag.ReadAsync(table, client, clock, ct) };
        }
        catch (KafkaException e)
        {
            return gate with { Problem = e.Message };
        }
    }
}
