using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using Godwit.Migrations;
using Shouldly;
using Xunit;

namespace Godwit.Tests.Migrations;

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
        using var broker = new Broker(request => request == 18 ? [0, (short)0, (short)(understood.Length / 2), .. understood.Chunk(2).SelectMany(u => new[] { u[0], (short)0, u[1] })] : null);

        (await KafkaVersion.ReadAsync(broker.Address, Ct)).ShouldBe((release, null));
    }

    [Fact]
    public async Task A_broker_that_chokes_on_the_question_and_knows_groups_is_an_old_one()
    {
        using var broker = new Broker(request => request == 16 ? [0, 0, 0] : null);

        (await KafkaVersion.ReadAsync(broker.Address, Ct)).ShouldBe(("0.9.0", null));
    }

    [Fact]
    public async Task What_is_no_broker_is_told()
    {
        using var broker = new Broker(_ => null);

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
    public void An_address_is_a_host_and_a_port(string text, bool isAddress) => KafkaVersion.IsAddress(text).ShouldBe(isAddress);

    /// <summary>Answers a request by its number, in units of two bytes; hangs up when there is no answer.</summary>
    private sealed class Broker : IDisposable
    {
        private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
        private readonly Func<short, short[]?> _answer;

        public Broker(Func<short, short[]?> answer)
        {
            _answer = answer;
            _listener.Start();
            _ = ServeAsync();
        }

        public string Address => _listener.LocalEndpoint.ToString()!;

        public void Dispose() => _listener.Dispose();

        private async Task ServeAsync()
        {
            try
            {
                while (true)
                {
                    using var client = await _listener.AcceptTcpClientAsync(Ct);
                    var request = new byte[20];
                    await client.GetStream().ReadExactlyAsync(request, Ct);
                    if (_answer(BinaryPrimitives.ReadInt16BigEndian(request.AsSpan(4))) is not { } units)
                    {
                        continue;
                    }

                    var message = new byte[8 + (units.Length * 2)];
                    BinaryPrimitives.WriteInt32BigEndian(message, message.Length - 4);
                    for (var i = 0; i < units.Length; i++)
                    {
                        BinaryPrimitives.WriteInt16BigEndian(message.AsSpan(8 + (i * 2)), units[i]);
                    }

                    await client.GetStream().WriteAsync(message, Ct);
                }
            }
            catch (Exception e) when (e is SocketException or OperationCanceledException or ObjectDisposedException)
            {
                // The test is over.
            }
        }
    }
}
