using Godwit.Kafka;
using Shouldly;
using Xunit;

namespace Godwit.Tests.Kafka;

/// <summary>The release of a Kafka broker is told from the requests that it understands.</summary>
public sealed class KafkaVersionTests
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    /// <summary>Requests and the highest versions of them, as brokers of that release tell.</summary>
    public static TheoryData<string, short[]> Brokers => new()
    {
        { "0.10.0", [0, 2, 1, 2, 2, 0, 3, 1, 9, 1, 11, 0] },
        { "0.10.1", [0, 2, 1, 3, 2, 1, 3, 2, 9, 1, 11, 1] },
        { "0.10.2", [0, 2, 1, 3, 2, 1, 3, 2, 9, 2, 11, 1] },
        { "0.11.0", [0, 3, 1, 5, 2, 2, 3, 4, 9, 3, 11, 2] },
        { "1.0.0", [0, 5, 1, 6, 2, 2, 3, 5, 9, 3, 11, 2] },
        { "2.1.0", [0, 7, 1, 10, 2, 4, 3, 7, 9, 5, 11, 3, 16, 2, 29, 1] },
        { "2.8.0", [0, 9, 1, 12, 2, 6, 3, 11, 9, 7, 11, 7, 16, 4, 24, 3, 29, 2] },
        { "3.9.0", [0, 11, 1, 17, 2, 9, 3, 12, 9, 9, 11, 9, 16, 5, 24, 5, 29, 3] },
    };

    [Theory]
    [MemberData(nameof(Brokers))]
    public async Task The_newest_release_is_told_that_understands_what_the_broker_does(string release, short[] understood)
    {
        using var broker = new ScriptedBroker(asked => asked.Request == KafkaRequest.ApiVersions ? ScriptedBroker.Versions([.. understood.Chunk(2).Select(u => ((KafkaRequest)u[0], (short)0, u[1]))]) : null);

        (await KafkaVersion.ReadAsync(broker.Address, Ct)).ShouldBe((release, null));
    }

    [Fact]
    public async Task A_broker_that_chokes_on_the_question_and_knows_groups_is_an_old_one()
    {
        using var broker = new ScriptedBroker(asked => asked.Request == KafkaRequest.ListGroups ? new KafkaWriter().Int16(0).Int32(0) : null);

        (await KafkaVersion.ReadAsync(broker.Address, Ct)).ShouldBe(("0.9.0", null));
    }

    [Fact]
    public async Task A_broker_that_says_nothing_to_the_question_and_knows_groups_is_an_old_one()
    {
        using var broker = new ScriptedBroker(asked => asked.Request == KafkaRequest.ListGroups ? new KafkaWriter().Int16(0).Int32(0) : ScriptedBroker.Silence);

        (await KafkaVersion.ReadAsync(broker.Address, Ct)).ShouldBe(("0.9.0", null));
    }

    [Fact]
    public async Task What_is_no_broker_is_told()
    {
        using var broker = new ScriptedBroker(_ => null);

        var (version, problem) = await KafkaVersion.ReadAsync(broker.Address, Ct);

        version.ShouldBeNull();
        problem.ShouldBe($"{broker.Address} hung up or said nothing. Name a listener of a Kafka broker, 0.9 or newer, that speaks plain text.");
        (await KafkaVersion.ReadAsync("127.0.0.1:1", Ct)).Problem.ShouldNotBeNull().ShouldStartWith("127.0.0.1:1 cannot be reached: ");
    }

    [Theory]
    [InlineData("kafka.example:9092", true)]
    [InlineData("[::1]:9092", true)]
    [InlineData("kafka.example", false)]
    [InlineData("kafka.example:0", false)]
    [InlineData("kafka.example:99999", false)]
    [InlineData("a:1,b:2", false)]
    [InlineData("kafka://a:9092", false)]
    [InlineData("", false)]
    public void An_address_is_a_host_and_a_port(string text, bool isAddress) => KafkaConnection.IsAddress(text).ShouldBe(isAddress);
}
