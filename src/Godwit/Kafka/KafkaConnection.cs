using System.Buffers.Binary;
using System.Collections.Concurrent;
using System.Globalization;
using System.Net.Sockets;
using Godwit.Notifications;

namespace Godwit.Kafka;

/// <summary>
/// One connection to a broker, in plain text: no TLS and no login. It knows which versions of each request the broker understands and speaks the
/// newest of those that both know. One request at a time. Every failure is a <see cref="KafkaException"/>.
/// </summary>
internal sealed class KafkaConnection : IDisposable
{
    private const int LargestAnswer = 32 << 20;

    /// <summary>How long making a connection, and the answer to a request, may take.</summary>
    public static readonly TimeSpan Longest = TimeSpan.FromSeconds(8);

    // Longer than a broker takes that is not in trouble.
    private static readonly TimeSpan Hesitation = TimeSpan.FromSeconds(1);

    // Finding out that a broker is old costs that time, so for a while it is remembered when (in milliseconds of this machine) that was.
    private static readonly TimeSpan Memory = TimeSpan.FromMinutes(1);
    private static readonly ConcurrentDictionary<string, long> OldBrokers = new(StringComparer.Ordinal);

    private static ReadOnlySpan<byte> ClientName => "godwit"u8;

    // A broker of 0.9 cannot be asked. These are the highest versions in its kafka.api and common.protocol.Protocol; the lowest is 0.
    private static readonly IReadOnlyDictionary<KafkaRequest, (short Lowest, short Highest)> OfOldBrokers = new Dictionary<KafkaRequest, (short, short)>
    {
        [KafkaRequest.Produce] = (0, 1),
        [KafkaRequest.Fetch] = (0, 1),
        [KafkaRequest.ListOffsets] = (0, 0),
        [KafkaRequest.Metadata] = (0, 0),
        [KafkaRequest.OffsetCommit] = (0, 2),
        [KafkaRequest.OffsetFetch] = (0, 1),
        [KafkaRequest.FindCoordinator] = (0, 0),
        [KafkaRequest.JoinGroup] = (0, 0),
        [KafkaRequest.ListGroups] = (0, 0),
    };

    private readonly TcpClient _client;
    private int _requests;

    private KafkaConnection(string address, TcpClient client) => (Address, _client) = (address, client);

    /// <summary>host:port.</summary>
    public string Address { get; }

    /// <summary>The versions of each request that the broker understands.</summary>
    public IReadOnlyDictionary<KafkaRequest, (short Lowest, short Highest)> Versions { get; private set; } = OfOldBrokers;

    /// <summary>Whether it is a broker before 0.10, which cannot be asked for its versions.</summary>
    public bool IsOld => Versions == OfOldBrokers;

    /// <summary>Whether a text is the address of a broker, such as <c>kafka.example:9092</c>.</summary>
    public static bool IsAddress(string text) =>
        Uri.TryCreate($"http://{text}", UriKind.Absolute, out var uri) && text == $"{uri.Host}:{text[(text.LastIndexOf(':') + 1)..]}"
        && ushort.TryParse(text[(text.LastIndexOf(':') + 1)..], NumberStyles.None, CultureInfo.InvariantCulture, out var port) && port > 0;

    /// <summary>Connects and asks for the versions.</summary>
    public static async Task<KafkaConnection> OpenAsync(string address, CancellationToken ct)
    {
        if (OldBrokers.TryGetValue(address, out var since) && Environment.TickCount64 - since < Memory.TotalMilliseconds && await OpenOldAsync(address, ct) is { } known)
        {
            return known;
        }

        var connection = await ConnectAsync(address, ct);
        try
        {
            var asked = connection.AskVersionsAsync(ct);
            await Task.WhenAny(asked, Task.Delay(Hesitation, ct));
            if (!IsAnswered(asked) && await OpenOldAsync(address, ct) is { } old)
            {
                // What was asked later has been answered: the first question never will be, unless it was just now.
                if (!IsAnswered(asked))
                {
                    connection.Dispose();
                    await asked;
                    OldBrokers[address] = Environment.TickCount64;
                    return old;
                }

                old.Dispose();
            }

            return await asked is not { } failure
                ? connection
                : throw new KafkaException($"{address} hung up or said nothing. Name a listener of a Kafka broker, 0.9 or newer, that speaks plain text.", inner: failure);
        }
        catch
        {
            connection.Dispose();
            throw;
        }
    }

    /// <summary>The newest version of a request that both sides know; null when there is none.</summary>
    /// <param name="request">The request.</param>
    /// <param name="spoken">The versions that the caller can write and read, the newest last.</param>
    public short? Common(KafkaRequest request, params ReadOnlySpan<short> spoken)
    {
        for (var i = spoken.Length - 1; i >= 0; i--)
        {
            if (Versions.TryGetValue(request, out var range) && range.Lowest <= spoken[i] && spoken[i] <= range.Highest)
            {
                return spoken[i];
            }
        }

        return null;
    }

    /// <summary>Sends a request in the newest version that both sides know, and reads its answer.</summary>
    public async Task<T> AskAsync<T>(KafkaRequest request, short[] spoken, Action<KafkaWriter, short> write, Func<KafkaReader, short, T> read, CancellationToken ct)
    {
        var version = Common(request, spoken) ?? throw new KafkaException(
            $"{Address} understands {request} in no version that Godwit speaks ({string.Join(", ", spoken)}). Use a Godwit that is as new as the broker.");
        return await ExchangeAsync(request, version, writer => write(writer, version), reader => read(reader, version), ct);
    }

    /// <inheritdoc/>
    public void Dispose() => _client.Dispose();

    /// <summary>Connects to a broker that is known to be of 0.9.</summary>
    public static async Task<KafkaConnection> ConnectAsync(string address, CancellationToken caller)
    {
        // A broker may say anything of where the others are.
        var colon = address.LastIndexOf(':');
        if (colon <= 0 || !ushort.TryParse(address.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var port) || port == 0)
        {
            throw new KafkaException($"'{ForeignText.Line(address)}' is not the address of a broker.");
        }

        using var limit = CancellationTokenSource.CreateLinkedTokenSource(caller);
        limit.CancelAfter(Longest);
        var client = new TcpClient { NoDelay = true };
        try
        {
            await client.ConnectAsync(address[..colon].Trim('[', ']'), port, limit.Token);
            return new KafkaConnection(address, client);
        }
        catch (SocketException e)
        {
            client.Dispose();
            throw new KafkaException($"{address} cannot be reached: {e.Message}.", isTransient: true, e);
        }
        catch (OperationCanceledException e)
        {
            client.Dispose();
            caller.ThrowIfCancellationRequested();
            throw new KafkaException($"{address} cannot be reached: no answer within {Longest.TotalSeconds:0} s.", isTransient: true, e);
        }
    }

    private async Task<KafkaException?> AskVersionsAsync(CancellationToken ct)
    {
        try
        {
            Versions = await ExchangeAsync(KafkaRequest.ApiVersions, 0, _ => { }, ReadVersions, ct);
            return null;
        }
        catch (KafkaException e)
        {
            return e;
        }
    }

    private static bool IsAnswered(Task<KafkaException?> asked) => asked is { IsCompletedSuccessfully: true, Result: null };

    // A broker of 0.9 answers the question for its versions by hanging up, or never; it knows groups.
    private static async Task<KafkaConnection?> OpenOldAsync(string address, CancellationToken ct)
    {
        var connection = await ConnectAsync(address, ct);
        try
        {
            await connection.ExchangeAsync(KafkaRequest.ListGroups, 0, _ => { }, r => r.Int16(), ct);
            return connection;
        }
        catch (KafkaException)
        {
            connection.Dispose();
            return null;
        }
    }

    private async Task<T> ExchangeAsync<T>(KafkaRequest request, short version, Action<KafkaWriter> write, Func<KafkaReader, T> read, CancellationToken caller)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(caller);
        limit.CancelAfter(Longest);
        try
        {
            var stream = _client.GetStream();
            var id = _requests++;
            await stream.WriteAsync(Message(request, version, id, write), limit.Token);
            var header = new byte[8];
            await stream.ReadExactlyAsync(header, limit.Token);
            var length = BinaryPrimitives.ReadInt32BigEndian(header) - 4;
            if (length is < 0 or > LargestAnswer || BinaryPrimitives.ReadInt32BigEndian(header.AsSpan(4)) != id)
            {
                throw new InvalidDataException($"it begins with {Convert.ToHexString(header)}");
            }

            var body = new byte[length];
            await stream.ReadExactlyAsync(body, limit.Token);
            return read(new KafkaReader(body));
        }
        catch (InvalidDataException e)
        {
            throw new KafkaException($"What {Address} answers to {request} is not understood: {e.Message}. Is it a Kafka broker?", inner: e);
        }
        catch (Exception e) when (e is IOException or InvalidOperationException)
        {
            throw new KafkaException($"{Address} hung up when it was asked for {request}.", isTransient: true, e);
        }
        catch (OperationCanceledException e) when (!caller.IsCancellationRequested)
        {
            throw new KafkaException($"{Address} did not answer to {request} within {Longest.TotalSeconds:0} s.", isTransient: true, e);
        }
    }

    // The header in its version 1: number, version, correlation id, name of the client.
    private static ReadOnlyMemory<byte> Message(KafkaRequest request, short version, int id, Action<KafkaWriter> write)
    {
        var body = new KafkaWriter().Int16((short)request).Int16(version).Int32(id).Int16(ClientName.Length).Raw(ClientName);
        write(body);
        return new KafkaWriter().Bytes(body.Written.Span).Written;
    }

    private static Dictionary<KafkaRequest, (short Lowest, short Highest)> ReadVersions(KafkaReader reader)
    {
        var error = reader.Int16();
        Dictionary<KafkaRequest, (short, short)> versions = [];
        foreach (var (request, lowest, highest) in reader.List(r => ((KafkaRequest)r.Int16(), r.Int16(), r.Int16())))
        {
            versions[request] = (lowest, highest);
        }

        return error == KafkaErrors.None ? versions : throw new InvalidDataException(KafkaErrors.Explain(error));
    }
}
