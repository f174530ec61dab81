using Godwit.Kafka;

namespace Godwit.Checks;

/// <summary>A message that cannot be parsed holds a consumer up, or is left out without a word; another exception may do the same.</summary>
internal sealed class KafkaMessagesCheck : IKafkaCheck
{
    // ClickHouse's own words, and the offset behind them.
    private const string Broken = "while parsing Kafka message";

    public string Name => "kafka-messages";

    public CheckResult? Run(KafkaGate gate)
    {
        var table = gate.Table;
        var recent = gate.Consumers?.Where(c => c.LastExceptionAge <= gate.Options.Calm).MinBy(c => c.LastExceptionAge);
        if (recent is { LastException: { } exception, LastExceptionAge: { } age })
        {
            return this.Refuse(exception.Contains(Broken, StringComparison.Ordinal)
                ? $"{table.Name} is held up by a message that it cannot parse: {exception}. Change its format, or let it skip such messages (kafka_skip_broken_messages), or move its group past it."
                : $"{table.Name} had trouble {Plain.Time(age)} ago: {exception}. See to it, and try again when there was none for {Plain.Time(gate.Options.Calm)}.");
        }

        if (table.SkipsBroken > 0)
        {
            return this.Warn($"{table.Name} leaves out up to {Plain.Count(table.SkipsBroken)} messages of a block that it cannot parse, without a word: they are in no count.");
        }

        return gate.Consumers is null ? null : this.Ok($"{table.Name} had no trouble with its messages in the last {Plain.Time(gate.Options.Calm)}.");
    }
}
