using Godwit.Checks;
using Godwit.ClickHouse;
using Godwit.Kafka;
using Shouldly;
using Xunit;

namespace Godwit.Tests.Kafka;

/// <summary>What keeps the feed of a Kafka table from being held.</summary>
public sealed class KafkaChecksTests
{
    private static readonly DateTimeOffset Now = new(2026, 3, 1, 12, 0, 0, TimeSpan.Zero);
    private static readonly KafkaPartition Partition = new("events", 0);

    [Fact]
    public void A_table_that_keeps_up_may_be_held()
    {
        var results = KafkaChecks.All.Select(c => c.Run(Gate(Behind(120), Hours(24)))).ToList();

        results.ShouldAllBe(r => r!.Verdict == CheckVerdict.Ok);
        results[0]!.Message.ShouldBe("db.queue is 120 messages behind its topics.");
    }

    [Fact]
    public void A_table_that_is_far_behind_is_refused() => Run(new KafkaLagCheck(), Gate(Behind(200_000), Hours(24)) with { Consumers = [Consumer with { LastPoll = TimeSpan.FromSeconds(90) }] })
        .ShouldBe(("kafka-lag", CheckVerdict.Refused, "db.queue is 200,000 messages behind its topics (200,000 in events[0]), and no more than 100,000 are allowed. "
            + "Its consumers last asked for messages 1 min 30 s ago. Wait until it has caught up."));

    [Fact]
    public void A_group_beyond_the_end_of_its_topic_is_refused() => Run(new KafkaLagCheck(), Gate(Behind(0) with { Committed = 5_000 }, Hours(24)))
        .ShouldBe(("kafka-lag", CheckVerdict.Refused, "Group g of db.queue is at offset 5000 of events[0], which ends at 1000: the topic was made anew. Give the table another group, or set the group's offsets."));

    [Fact]
    public void A_broker_that_tells_nothing_is_unreadable()
    {
        var gate = Gate(Behind(0), Hours(24)) with { Lag = null, Problem = "b:9092 cannot be reached: refused." };

        Run(new KafkaLagCheck(), gate).ShouldBe(("kafka-lag", CheckVerdict.Unreadable, "Where db.queue stands in Kafka cannot be read: b:9092 cannot be reached: refused. Look whether the broker is up, can be reached from here, and is the one that the table names."));
        Run(new KafkaRetentionCheck(), gate).Verdict.ShouldBe(CheckVerdict.Unreadable);
    }

    [Fact]
    public void A_message_that_would_be_deleted_during_the_pause_is_told_with_the_retention_that_is_needed() =>
        Run(new KafkaRetentionCheck(), Gate(Behind(10) with { OldestUnread = Now.AddMinutes(-50) }, Hours(1))).ShouldBe(
            ("kafka-retention", CheckVerdict.Refused, "Topic events keeps messages for 1 h 0 min, and 1 h 10 min are needed: the first message that db.queue has not read is 50 min 0 s old, the pause may be "
            + "10 min 0 s, and as long again passes before all is read. Set its retention.ms to 4200000 or more, or allow a shorter pause."));

    [Theory]
    [InlineData(40, true)]
    [InlineData(41, false)]
    public void The_age_of_the_first_unread_message_and_twice_the_pause_must_fit(int minutes, bool isOk) =>
        Run(new KafkaRetentionCheck(), Gate(Behind(10) with { OldestUnread = Now.AddMinutes(-minutes) }, Hours(1))).Verdict.ShouldBe(isOk ? CheckVerdict.Ok : CheckVerdict.Refused);

    [Fact]
    public void What_was_deleted_before_it_was_read_is_told() => Run(new KafkaRetentionCheck(), Gate(Behind(0) with { Committed = 100, Earliest = 400 }, Hours(1)))
        .ShouldBe(("kafka-retention", CheckVerdict.Refused, "300 messages of topic events were deleted before db.queue had read them. Raise its retention.ms, and wait until the table has caught up."));

    [Fact]
    public void A_retention_that_the_broker_does_not_tell_is_unreadable_until_a_person_names_it()
    {
        var gate = Gate(Behind(10) with { OldestUnread = null }, null);

        Run(new KafkaRetentionCheck(), gate).ShouldBe(
            ("kafka-retention", CheckVerdict.Unreadable, "Kafka does not tell how long it keeps the messages of topic events (brokers do from 0.11 on, and only who may ask). "
            + "Look up its retention.ms and give it with --kafka-retention, if it is enough."));
        Run(new KafkaRetentionCheck(), gate with { Options = gate.Options with { Retention = TimeSpan.FromHours(1) } }).ShouldBe(
            ("kafka-retention", CheckVerdict.Warning, "The messages of events[0] carry no times, so those that were not read (10) are taken for new ones."));
        Run(new KafkaRetentionCheck(), gate with { Options = gate.Options with { Retention = TimeSpan.FromMinutes(19) } }).Verdict.ShouldBe(CheckVerdict.Refused);
    }

    [Fact]
    public void A_topic_that_is_full_keeps_what_is_as_old_as_its_oldest_message()
    {
        var full = Behind(10) with { Earliest = 500, OldestRetained = Now.AddMinutes(-15), OldestUnread = Now.AddMinutes(-1) };

        var result = Run(new KafkaRetentionCheck(), Gate(full, new KafkaRetention(TimeSpan.FromDays(7), 1_000_000)));

        result.Verdict.ShouldBe(CheckVerdict.Refused);
        result.Message.ShouldStartWith("Topic events keeps 1 MB of each partition, which is 15 min 0 s of events[0], and 21 min 0 s are needed: ");
        Run(new KafkaRetentionCheck(), Gate(full with { OldestRetained = Now.AddHours(-2) }, new KafkaRetention(TimeSpan.FromDays(7), 1_000_000))).Verdict.ShouldBe(CheckVerdict.Ok);
        Run(new KafkaRetentionCheck(), Gate(Behind(10), new KafkaRetention(TimeSpan.FromDays(7), 1_000_000))).Verdict.ShouldBe(CheckVerdict.Warning);
    }

    [Fact]
    public void A_topic_that_keeps_everything_is_ok() =>
        Run(new KafkaRetentionCheck(), Gate(Behind(10) with { OldestUnread = Now.AddYears(-1) }, new KafkaRetention(null, null))).Verdict.ShouldBe(CheckVerdict.Ok);

    [Fact]
    public void A_broken_message_is_told_with_its_place() =>
        Run(new KafkaMessagesCheck(), Gate(Behind(0), Hours(1)) with { Consumers = [Consumer with { LastException = "Cannot parse: while parsing Kafka message (topic: events, partition: 0, offset: 10)", LastExceptionAge = TimeSpan.FromSeconds(1) }] })
            .ShouldBe(("kafka-messages", CheckVerdict.Refused, "db.queue is held up by a message that it cannot parse: Cannot parse: while parsing Kafka message (topic: events, partition: 0, offset: 10). "
                + "Change its format, or let it skip such messages (kafka_skip_broken_messages), or move its group past it."));

    [Theory]
    [InlineData(119, CheckVerdict.Refused)]
    [InlineData(121, CheckVerdict.Ok)]
    public void Trouble_is_forgotten_after_a_while(int seconds, CheckVerdict verdict) =>
        Run(new KafkaMessagesCheck(), Gate(Behind(0), Hours(1)) with { Consumers = [Consumer with { LastException = "Connection refused", LastExceptionAge = TimeSpan.FromSeconds(seconds) }] }).Verdict.ShouldBe(verdict);

    [Fact]
    public void Messages_that_are_skipped_without_a_word_are_a_warning()
    {
        var gate = Gate(Behind(0), Hours(1));

        Run(new KafkaMessagesCheck(), gate with { Table = gate.Table with { SkipsBroken = 100 } })
            .ShouldBe(("kafka-messages", CheckVerdict.Warning, "db.queue leaves out up to 100 messages of a block that it cannot parse, without a word: they are in no count."));
    }

    [Theory]
    [InlineData(119, CheckVerdict.Refused)]
    [InlineData(121, CheckVerdict.Ok)]
    public void A_group_must_have_been_calm_for_a_while(int seconds, CheckVerdict verdict) =>
        Run(new KafkaRebalancesCheck(), Gate(Behind(0), Hours(1)) with { Consumers = [Consumer, Consumer with { LastRebalance = TimeSpan.FromSeconds(seconds), Rebalances = 3 }] }).Verdict.ShouldBe(verdict);

    [Fact]
    public void A_table_whose_consumers_have_no_partitions_reads_nothing_which_is_said_and_stops_nobody() =>
        Run(new KafkaRebalancesCheck(), Gate(Behind(0), Hours(1)) with { Consumers = [Consumer with { Partitions = 0 }, Consumer with { Partitions = 0 }] }).ShouldBe((
            "kafka-rebalances",
            CheckVerdict.Warning,
            "No consumer of db.queue has partitions at this moment, so nothing is read. One that was made or attached just now gets them within seconds; otherwise look at exceptions in system.kafka_consumers."));

    [Fact]
    public void Where_nothing_is_held_calm_is_not_asked_for_and_a_topic_may_keep_silent_on_how_long_it_keeps_messages()
    {
        var gate = Gate(Behind(5), null) with { Consumers = [Consumer with { LastRebalance = TimeSpan.FromSeconds(1), Rebalances = 3 }] };
        gate = gate with { Options = gate.Options with { Pause = TimeSpan.Zero } };

        new KafkaRebalancesCheck().Run(gate).ShouldBeNull();
        Run(new KafkaRetentionCheck(), gate).ShouldBe(("kafka-retention", CheckVerdict.Ok, "Kafka has deleted nothing that db.queue has not read."));
    }

    [Fact]
    public void Messages_that_expire_before_a_second_consumer_reads_them_refuse_it()
    {
        var gate = Gate(Behind(5) with { OldestUnread = Now.AddHours(-2) }, Hours(1));
        gate = gate with { Options = gate.Options with { Pause = TimeSpan.Zero } };

        Run(new KafkaRetentionCheck(), gate).ShouldBe((
            "kafka-retention",
            CheckVerdict.Refused,
            "Topic events keeps messages for 1 h 0 min, and 2 h 0 min are needed: the first message that db.queue has not read is 2 h 0 min old. Set its retention.ms to 7200000 or more."));
    }

    [Fact]
    public void A_server_that_tells_nothing_of_its_consumers_is_not_asked()
    {
        var gate = Gate(Behind(0), Hours(1)) with { Consumers = null };

        new KafkaRebalancesCheck().Run(gate).ShouldBeNull();
        new KafkaMessagesCheck().Run(gate).ShouldBeNull();
    }

    private static KafkaConsumer Consumer => new() { Id = "c", Partitions = 1, IsBusy = false, LastPoll = TimeSpan.Zero, LastCommit = TimeSpan.Zero };

    private static KafkaRetention Hours(int hours) => new(TimeSpan.FromHours(hours), null);

    private static PartitionLag Behind(long messages) => new()
    {
        Partition = Partition,
        Earliest = 0,
        Committed = Math.Max(1000, messages) - messages,
        End = Math.Max(1000, messages),
        OldestRetained = Now.AddHours(-1),
        OldestUnread = messages > 0 ? Now.AddSeconds(-1) : null,
    };

    private static KafkaGate Gate(PartitionLag partition, KafkaRetention? retention) => new()
    {
        Table = KafkaTable.Parse(new QualifiedName("db", "queue"), "CREATE TABLE db.queue (`id` UInt64) ENGINE = Kafka('b:9092', 'events', 'g', 'CSV')", new Dictionary<string, string>()).Table!,
        Options = new KafkaGateOptions { Pause = TimeSpan.FromMinutes(10) },
        Lag = new KafkaLag([partition], new Dictionary<string, KafkaRetention?> { ["events"] = retention }, Now),
        Consumers = [Consumer],
    };

    private static (string Check, CheckVerdict Verdict, string Message) Run(IKafkaCheck check, KafkaGate gate)
    {
        var result = check.Run(gate).ShouldNotBeNull();
        return (result.Check, result.Verdict, result.Message);
    }
}
