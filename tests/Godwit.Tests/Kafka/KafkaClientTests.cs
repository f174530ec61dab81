using Godwit.Kafka;
using Shouldly;
using Xunit;

namespace Godwit.Tests.Kafka;

/// <summary>What Godwit asks brokers of newer releases than the real one of the integration tests, and what it makes of their answers.</summary>
public sealed class KafkaClientTests
{
    private const long Written = 1_766_000_000_123;
    private static readonly KafkaPartition First = new("events", 0);
    private static readonly KafkaPartition Second = new("events", 1);

    // As Kafka 4.1 tells them.
    private static readonly (KafkaRequest, short, short)[] Today =
    [
        (KafkaRequest.Fetch, 4, 18), (KafkaRequest.ListOffsets, 1, 11), (KafkaRequest.Metadata, 0, 13), (KafkaRequest.OffsetCommit, 2, 10),
        (KafkaRequest.OffsetFetch, 1, 10), (KafkaRequest.FindCoordinator, 0, 6), (KafkaRequest.DescribeConfigs, 1, 4),
    ];

    // As Kafka 0.10.2 tells them.
    private static readonly (KafkaRequest, short, short)[] Old =
    [
        (KafkaRequest.Fetch, 0, 3), (KafkaRequest.ListOffsets, 0, 1), (KafkaRequest.Metadata, 0, 2), (KafkaRequest.OffsetCommit, 0, 2),
        (KafkaRequest.OffsetFetch, 0, 2), (KafkaRequest.FindCoordinator, 0, 0),
    ];

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Topics_are_asked_for_by_name_and_none_is_made()
    {
        List<string>? names = null;
        var mayMake = true;
        using var broker = NewBroker(Today, (asked, self) =>
        {
            (names, mayMake) = (asked.Body.List(t => t.Text()), asked.Body.Bool());
            return Metadata(self);
        });

        (await Client(broker).PartitionsAsync(["events"], Ct)).ShouldBe([First, Second]);

        names.ShouldBe(["events"]);
        mayMake.ShouldBeFalse();
    }

    [Fact]
    public async Task Of_an_old_broker_all_topics_are_asked_for_since_a_name_would_make_one()
    {
        List<string>? names = null;
        using var broker = NewBroker(Old, (asked, self) =>
        {
            names = asked.Body.List(t => t.Text());
            return OldMetadata(self);
        });

        (await Client(broker).PartitionsAsync(["events"], Ct)).ShouldBe([First, Second]);

        names.ShouldBeEmpty();
        broker.Heard.ShouldContain((KafkaRequest.Metadata, (short)0));
    }

    [Fact]
    public async Task A_topic_that_does_not_exist_is_told()
    {
        using var broker = NewBroker(Today, (_, self) => Metadata(self, error: 3));

        (await Should.ThrowAsync<KafkaException>(Client(broker).PartitionsAsync(["events"], Ct))).Message
            .ShouldBe($"{broker.Address} did not tell the partitions of topic events: there is no such topic or partition (error 3).");
    }

    [Fact]
    public async Task A_partition_without_a_leader_is_asked_for_again()
    {
        var questions = 0;
        using var broker = NewBroker(Today, (_, self) => Metadata(self, leader: ++questions == 1 ? -1 : 0));

        (await Client(broker).PartitionsAsync(["events"], Ct)).Count.ShouldBe(2);

        questions.ShouldBe(2);
    }

    [Fact]
    public async Task Each_leader_is_asked_for_the_offsets_of_its_own_partitions()
    {
        ScriptedBroker? other = null;
        using var second = other = NewBroker(Today, (asked, _) => asked.Request == KafkaRequest.ListOffsets ? Offsets(asked, 70) : null);
        using var first = NewBroker(Today, (asked, self) => asked.Request == KafkaRequest.Metadata ? Metadata(self, other: other.Port) : Offsets(asked, 5));

        var offsets = await Client(first).OffsetsAsync([First, Second], KafkaEnd.Latest, Ct);

        offsets.ShouldBe(new Dictionary<KafkaPartition, long> { [First] = 5, [Second] = 71 }, ignoreOrder: true);
        second.Heard.ShouldContain((KafkaRequest.ListOffsets, (short)1));
    }

    [Theory]
    [InlineData(4, "00000000000000070000003100000000020000000000000000000000000000000001", true)]
    [InlineData(2, "0000000000000007000000310000000001", true)]
    [InlineData(2, "0000000000000007000000310000000000", false)]
    public async Task The_time_of_a_message_is_read_in_the_format_that_it_has(short version, string head, bool hasTime)
    {
        // Behind the head of a message: in format 1 the attributes, in format 2 what makes its largest time the second one of two.
        var message = new KafkaWriter().Raw(Convert.FromHexString(head[..34]));
        message = version == 4 ? message.Int32(0).Int16(0).Int32(0).Int64(Written - 50).Int64(Written) : message.Int8(0).Int64(Written);
        using var broker = NewBroker(version == 4 ? Today : Old, (asked, self) => asked.Request == KafkaRequest.Fetch ? Fetched(asked.Version, 0, message) : Either(asked, self));

        var time = await Client(broker).TimeAsync(First, 7, Ct);

        time.ShouldBe(hasTime ? DateTimeOffset.FromUnixTimeMilliseconds(Written) : null);
        broker.Heard.ShouldContain((KafkaRequest.Fetch, version));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(0)]
    public async Task A_message_that_is_not_there_has_no_time(short error)
    {
        using var broker = NewBroker(Today, (asked, self) => asked.Request == KafkaRequest.Fetch ? Fetched(asked.Version, error, new KafkaWriter()) : Metadata(self));

        (await Client(broker).TimeAsync(First, 7, Ct)).ShouldBeNull();
    }

    [Theory]
    [InlineData("604800000", "-1", "delete", 604_800_000L, null)]
    [InlineData("-1", "1073741824", "delete", null, 1_073_741_824L)]
    [InlineData("1000", "2000", "compact,delete", 1_000L, 2_000L)]
    [InlineData("1000", "2000", "compact", null, null)]
    public async Task What_a_topic_keeps_is_read(string time, string bytes, string policy, long? milliseconds, long? size)
    {
        using var broker = NewBroker(Today, (asked, _) => asked.Request == KafkaRequest.DescribeConfigs ? Settings(0, ("retention.ms", time), ("retention.bytes", bytes), ("cleanup.policy", policy)) : null);

        (await Client(broker).RetentionAsync("events", Ct)).ShouldBe(new KafkaRetention(milliseconds is { } ms ? TimeSpan.FromMilliseconds(ms) : null, size));
    }

    [Fact]
    public async Task What_a_topic_keeps_is_unreadable_for_whoever_may_not_ask()
    {
        using var broker = NewBroker(Today, (asked, _) => asked.Request == KafkaRequest.DescribeConfigs ? Settings(29) : null);

        (await Client(broker).RetentionAsync("events", Ct)).ShouldBeNull();
    }

    [Fact]
    public async Task What_a_topic_keeps_is_unreadable_on_a_broker_that_cannot_be_asked()
    {
        using var broker = NewBroker(Old, (_, _) => null);

        (await Client(broker).RetentionAsync("events", Ct)).ShouldBeNull();
    }

    [Fact]
    public async Task The_coordinator_is_asked_again_while_it_loads_the_offsets_of_a_group()
    {
        var questions = 0;
        using var broker = NewBroker(Today, (asked, self) => asked.Request switch
        {
            KafkaRequest.FindCoordinator => new KafkaWriter().Int16(0).Int32(0).Text("127.0.0.1").Int32(self),
            KafkaRequest.OffsetFetch => Committed(++questions == 1 ? (short)14 : (short)0, 42, -1),
            _ => null,
        });

        (await Client(broker).CommittedAsync("g", [First, Second], Ct)).ShouldBe(new Dictionary<KafkaPartition, long> { [First] = 42 });

        questions.ShouldBe(2);
    }

    [Theory]
    [InlineData(-1)]
    [InlineData(0)]
    [InlineData(70_000)]
    public async Task A_broker_that_names_an_address_that_is_none_is_told(int port)
    {
        using var broker = NewBroker(Today, (asked, _) =>
            asked.Request == KafkaRequest.FindCoordinator ? new KafkaWriter().Int16(0).Int32(0).Text("127.0.0.1").Int32(port) : null);

        (await Should.ThrowAsync<KafkaException>(Client(broker).CommittedAsync("g", [First], Ct))).Message.ShouldBe($"'127.0.0.1:{port}' is not the address of a broker.");
    }

    [Fact]
    public async Task The_offsets_of_a_group_that_somebody_reads_in_cannot_be_set()
    {
        using var broker = NewBroker(Today, (asked, self) => asked.Request switch
        {
            KafkaRequest.FindCoordinator => new KafkaWriter().Int16(0).Int32(0).Text("127.0.0.1").Int32(self),
            KafkaRequest.OffsetCommit => new KafkaWriter().List(["events"], (t, name) => t.Text(name).List([0], (p, number) => p.Int32(number).Int16(25))),
            _ => null,
        });

        (await Should.ThrowAsync<KafkaException>(Client(broker).CommitAsync("g", new Dictionary<KafkaPartition, long> { [First] = 1 }, Ct))).Message
            .ShouldBe($"The offsets of group g cannot be set on {broker.Address}: somebody is reading in it. Stop its consumers and wait until their session has ended.");
    }

    [Fact]
    public async Task A_broker_that_has_forgotten_what_Godwit_speaks_is_told()
    {
        using var broker = NewBroker([(KafkaRequest.Metadata, 9, 20)], (_, _) => null);

        (await Should.ThrowAsync<KafkaException>(Client(broker).PartitionsAsync(["events"], Ct))).Message
            .ShouldBe($"{broker.Address} understands Metadata in no version that Godwit speaks (0, 4). Use a Godwit that is as new as the broker.");
    }

    [Fact]
    public async Task An_answer_that_announces_more_than_it_holds_is_told()
    {
        using var broker = NewBroker(Today, (_, _) => new KafkaWriter().Int32(0).Int32(int.MaxValue));

        (await Should.ThrowAsync<KafkaException>(Client(broker).PartitionsAsync(["events"], Ct))).Message
            .ShouldBe($"What {broker.Address} answers to Metadata is not understood: a list of 2147483647 items does not fit into it. Is it a Kafka broker?");
    }

    [Fact]
    public async Task When_no_broker_can_be_reached_each_is_named()
    {
        using var client = new KafkaClient(["127.0.0.1:1", "127.0.0.1:2"], TimeProvider.System);

        var message = (await Should.ThrowAsync<KafkaException>(client.PartitionsAsync(["events"], Ct))).Message;

        message.ShouldContain("127.0.0.1:1 cannot be reached: ");
        message.ShouldContain("127.0.0.1:2 cannot be reached: ");
    }

    [Fact]
    public async Task A_broker_that_cannot_be_reached_is_passed_over()
    {
        using var broker = NewBroker(Today, (_, self) => Metadata(self));
        using var client = new KafkaClient(["127.0.0.1:1", broker.Address], TimeProvider.System);

        (await client.PartitionsAsync(["events"], Ct)).Count.ShouldBe(2);
    }

    private static KafkaClient Client(ScriptedBroker broker) => new([broker.Address], TimeProvider.System);

    // The function gets the port of the broker itself, which others are told.
    private static ScriptedBroker NewBroker((KafkaRequest, short, short)[] versions, Func<ScriptedBroker.Asked, int, KafkaWriter?> answer)
    {
        ScriptedBroker? self = null;
        return self = new ScriptedBroker(asked => asked.Request == KafkaRequest.ApiVersions ? ScriptedBroker.Versions(versions) : answer(asked, self!.Port));
    }

    private static KafkaWriter Either(ScriptedBroker.Asked asked, int port) => asked.Version == 0 ? OldMetadata(port) : Metadata(port);

    // Version 4: throttled for; broker, host, port, rack; cluster; controller; topics, each with an error, its name, and whether it is Kafka's own.
    private static KafkaWriter Metadata(int port, short error = 0, int leader = 0, int? other = null) => new KafkaWriter().Int32(0)
        .List([port, other ?? port], (b, p) => b.Int32(p == port ? 0 : 1).Text("127.0.0.1").Int32(p).Text(null))
        .Text("cluster").Int32(0)
        .List(["events"], (t, name) => t.Int16(error).Text(name).Int8(0).List(error == 0 ? [0, 1] : Array.Empty<int>(), (p, n) => Partition(p, n, other is null ? leader : n)));

    private static KafkaWriter OldMetadata(int port) => new KafkaWriter()
        .List([port], (b, p) => b.Int32(0).Text("127.0.0.1").Int32(p))
        .List(["others", "events"], (t, name) => t.Int16(0).Text(name).List([1, 0], (p, n) => Partition(p, n, 0)));

    private static void Partition(KafkaWriter writer, int number, int leader) =>
        writer.Int16(0).Int32(number).Int32(leader).List([0, 1], (r, n) => r.Int32(n)).List([0], (r, n) => r.Int32(n));

    // Each partition ends at its number behind the offset.
    private static KafkaWriter Offsets(ScriptedBroker.Asked asked, long offset)
    {
        asked.Body.Int32().ShouldBe(-1);
        var wanted = asked.Body.Partitions(p => p.Int64());
        wanted.ShouldAllBe(w => w.Answer == -1);
        return new KafkaWriter().Partitions(wanted.Select(w => w.Partition), (p, partition) => p.Int16(0).Int64(-1).Int64(offset + partition.Number));
    }

    private static KafkaWriter Fetched(short version, short error, KafkaWriter messages) => new KafkaWriter().Int32(0).Partitions([First], (p, partition) =>
    {
        p.Int16(error).Int64(8);
        _ = version >= 4 ? p.Int64(8).Int32(-1) : p;
        p.Bytes(messages.Written.Span);
    });

    private static KafkaWriter Settings(short error, params (string Name, string Value)[] settings) => new KafkaWriter().Int32(0).List([error], (r, e) => r
        .Int16(e).Text(null).Int8(2).Text("events")
        .List(settings, (s, setting) => s.Text(setting.Name).Text(setting.Value).Int8(0).Int8(5).Int8(0).List(["log." + setting.Name], (n, name) => n.Text(name).Text(setting.Value).Int8(4))));

    private static KafkaWriter Committed(short error, params long[] offsets) => new KafkaWriter().Partitions(
        offsets.Select((_, i) => new KafkaPartition("events", i)), (p, partition) => p.Int64(offsets[partition.Number]).Text("").Int16(error));
}
