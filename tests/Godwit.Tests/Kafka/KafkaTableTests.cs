using Godwit.ClickHouse;
using Godwit.Kafka;
using Shouldly;
using Xunit;

namespace Godwit.Tests.Kafka;

/// <summary>Where a Kafka table reads from stands in its definition.</summary>
public sealed class KafkaTableTests
{
    private static readonly QualifiedName Name = new("db", "queue");

    [Theory]
    [InlineData("Kafka('one:9092,two', 'a, b', 'g', 'JSONEachRow')")]
    [InlineData("Kafka('one:9092, PLAINTEXT://two:9092', 'a,b', g, JSONEachRow)")]
    [InlineData("Kafka SETTINGS kafka_broker_list = 'one:9092,two', kafka_topic_list = 'a,b', kafka_group_name = 'g', kafka_format = 'JSONEachRow'")]
    [InlineData("Kafka('one,two', 'a,b') SETTINGS kafka_group_name = 'g', kafka_format = 'JSONEachRow'")]
    [InlineData("Kafka('{where}:9092,two', 'a,b', 'g', '{kind}EachRow')")]
    public void Broker_topics_and_group_are_read_from_arguments_and_settings(string engine)
    {
        var table = Parsed(engine);

        table.Brokers.ShouldBe(["one:9092", "two:9092"]);
        table.Topics.ShouldBe(["a", "b"]);
        table.Group.ShouldBe("g");
        table.Format.ShouldBe("JSONEachRow");
        table.Consumers.ShouldBe(1);
        table.SkipsBroken.ShouldBe(0);
        table.FlushInterval.ShouldBeNull();
    }

    [Theory]
    [InlineData("Kafka('b', 't', 'g', 'CSV', '\\n', '', 3, 1000, 100)")]
    [InlineData("Kafka SETTINGS kafka_broker_list = 'b', kafka_topic_list = 't', kafka_group_name = 'g', kafka_format = 'CSV', kafka_num_consumers = 3, kafka_skip_broken_messages = 100")]
    public void Consumers_and_skipped_messages_are_read(string engine)
    {
        var table = Parsed(engine);

        table.Consumers.ShouldBe(3);
        table.SkipsBroken.ShouldBe(100);
    }

    [Fact]
    public void The_flush_interval_and_the_way_of_errors_are_read()
    {
        var table = Parsed("Kafka('b', 't', 'g', 'CSV') SETTINGS kafka_flush_interval_ms = 500, kafka_handle_error_mode = 'stream'");

        table.FlushInterval.ShouldBe(TimeSpan.FromMilliseconds(500));
        table.ErrorMode.ShouldBe("stream");
    }

    [Theory]
    [InlineData("Kafka(events)", "db.queue has its broker and topics from a named collection, which ClickHouse does not show: write them in the definition of the table.")]
    [InlineData("Kafka(events, kafka_topic_list = 't')", "db.queue has its broker and topics from a named collection, which ClickHouse does not show: write them in the definition of the table.")]
    [InlineData("Kafka('b', concat('t', '1'), 'g', 'CSV')", "kafka_topic_list of db.queue is concat('t', '1'), which is not a plain value.")]
    [InlineData("Kafka('b', '{nothing}', 'g', 'CSV')", "The definition of db.queue has the macro {nothing}, which is not among the server's macros.")]
    [InlineData("Kafka('b', 't', 'g')", "db.queue has no kafka_format.")]
    [InlineData("Kafka('SSL://b', 't', 'g', 'CSV')", "db.queue talks to its broker by SSL, and Godwit only in plain text.")]
    [InlineData("Kafka('b/c', 't', 'g', 'CSV')", "'b/c' in the broker list of db.queue is not an address.")]
    [InlineData("Kafka('b', 't', 'g', 'CSV') SETTINGS kafka_security_protocol = 'sasl_ssl'", "db.queue talks to its broker by sasl_ssl, and Godwit only in plain text.")]
    [InlineData("Kafka('b', 't', 'g', 'CSV') SETTINGS kafka_keeper_path = '/k', kafka_replica_name = 'r'", "db.queue keeps its offsets in ClickHouse Keeper (kafka_keeper_path) and not in its group, where they could be read.")]
    public void What_cannot_be_read_is_told(string engine, string problem) => Parse(engine).Problem.ShouldBe(problem);

    [Theory]
    [InlineData("Kafka('b', 't', 'g', 'CSV')", "Kafka('b', 't', 'it\\'s', 'CSV')")]
    [InlineData("Kafka('b', 't') SETTINGS kafka_group_name = 'g', kafka_format = 'CSV'", "Kafka('b', 't') SETTINGS kafka_format = 'CSV', kafka_group_name = 'it\\'s'")]
    [InlineData("Kafka SETTINGS kafka_broker_list = 'b', kafka_topic_list = 't', kafka_group_name = 'g', kafka_format = 'CSV'", "Kafka SETTINGS kafka_broker_list = 'b', kafka_format = 'CSV', kafka_group_name = 'it\\'s', kafka_topic_list = 't'")]
    public void Another_table_can_read_the_same_in_another_group(string engine, string other) =>
        Parsed(engine).CreateSql(new QualifiedName("db", "other"), "it's").ShouldBe($"CREATE TABLE `db`.`other` (`id` UInt64, `text` String) ENGINE = {other}");

    [Fact]
    public void A_table_with_a_hidden_secret_cannot_be_made_again() =>
        Parsed("Kafka('b', 't', 'g', 'CSV') SETTINGS kafka_sasl_password = '[HIDDEN]'").CreateSql(new QualifiedName("db", "other"), "h").ShouldBeNull();

    private static KafkaTable Parsed(string engine)
    {
        var (table, problem) = Parse(engine);
        problem.ShouldBeNull();
        return table!;
    }

    private static (KafkaTable? Table, string? Problem) Parse(string engine) => KafkaTable.Parse(
        Name,
        $"CREATE TABLE db.queue (`id` UInt64, `text` String) ENGINE = {engine}",
        new Dictionary<string, string>(StringComparer.Ordinal) { ["where"] = "one", ["kind"] = "JSON" });
}
