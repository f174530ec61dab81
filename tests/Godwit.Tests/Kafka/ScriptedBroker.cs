using System.Buffers.Binary;
using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using Godwit.Kafka;
using Xunit;

namespace Godwit.Tests.Kafka;

/// <summary>A broker that understands what it is told to, and answers what the test says. No answer: it hangs up.</summary>
internal sealed class ScriptedBroker : IDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly Func<Asked, KafkaWriter?> _answer;

    /// <param name="answer">The answer to a request, behind its number.</param>
    public ScriptedBroker(Func<Asked, KafkaWriter?> answer)
    {
        _answer = answer;
        _listener.Start();
        _ = AcceptAsync();
    }

    public string Address => _listener.LocalEndpoint.ToString()!;

    public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    /// <summary>What it was asked, in order.</summary>
    public ConcurrentQueue<(KafkaRequest Request, short Version)> Heard { get; } = new();

    /// <summary>The answer to ApiVersions.</summary>
    public static KafkaWriter Versions(params (KafkaRequest Request, short Lowest, short Highest)[] understood) =>
        new KafkaWriter().Int16(0).List(understood, (w, u) => w.Int16((short)u.Request).Int16(u.Lowest).Int16(u.Highest));

    public void Dispose() => _listener.Dispose();

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
            {
                _ = ServeAsync(await _listener.AcceptTcpClientAsync(TestContext.Current.CancellationToken));
            }
        }
        catch (Exception e) when (e is SocketException or OperationCanceledException or ObjectDisposedException)
        {
            // The test is over.
        }
    }

    private async Task ServeAsync(TcpClient client)
    {
        using var _ = client;
        var stream = client.GetStream();
        try
        {
            while (true)
            {
                var length = new byte[4];
                await stream.ReadExactlyAsync(length);
                var message = new byte[BinaryPrimitives.ReadInt32BigEndian(length)];
                await stream.ReadExactlyAsync(message);
                var reader = new KafkaReader(message);
                var (request, version, id, _) = ((KafkaRequest)reader.Int16(), reader.Int16(), reader.Int32(), reader.Text());
                Heard.Enqueue((request, version));
                if (_answer(new Asked(request, version, reader)) is not { } answer)
                {
                    return;
                }

                if (!ReferenceEquals(answer, Silence))
                {
                    var body = new KafkaWriter().Int32(id).Raw(answer.Written.Span).Written;
                    await stream.WriteAsync(new KafkaWriter().Bytes(body.Span).Written);
                }
            }
        }
        catch (IOException)
        {
            // The client has gone.
        }
    }

    /// <summary>As an answer: it says nothing, and keeps the connection.</summary>
    public static KafkaWriter Silence { get; } = new();

    /// <summary>A request.</summary>
    internal sealed record Asked(KafkaRequest Request, short Version, KafkaReader Body);
}
