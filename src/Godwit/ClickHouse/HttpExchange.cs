using System.Collections.Concurrent;
using System.Net.Http.Headers;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using System.Text;

namespace Godwit.ClickHouse;

/// <summary>Sends one statement over HTTP. What comes back is an answer of ClickHouse or an exception that says what happened.</summary>
internal sealed class HttpExchange : IDisposable
{
    private readonly ConcurrentDictionary<string, Lazy<HttpExchange>> _others = new(StringComparer.Ordinal);
    private readonly ClickHouseOptions _options;
    private readonly HttpMessageHandler? _handler;
    private readonly HttpClient _client;

    public HttpExchange(ClickHouseOptions options, HttpMessageHandler? handler)
    {
        (_options, _handler) = (options, handler);
        _client = new HttpClient(handler ?? CreateHandler(options), disposeHandler: handler is null)
        {
            BaseAddress = options.Url,
            Timeout = Timeout.InfiniteTimeSpan, // each statement has its own
        };
    }

    /// <summary>Sends; on return the status was good and the body has yet to be read.</summary>
    public async Task<Answer> SendAsync(Statement statement, CancellationToken ct)
    {
        using var content = new StatementContent(statement.Sql, statement.Rows);
        using var request = new HttpRequestMessage(HttpMethod.Post, statement.Path) { Content = content };
        request.Headers.Add("X-ClickHouse-User", _options.User);
        if (_options.Password.Reveal() is { Length: > 0 } password)
        {
            request.Headers.Add("X-ClickHouse-Key", password);
        }

        return await SendAsync(request, statement, () => content.WasSent, ct);
    }

    /// <summary>Asks for /ping, which needs no login.</summary>
    public async Task<Answer> PingAsync(CancellationToken ct)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "ping");
        return await SendAsync(request, new Statement("", new QueryOptions()), () => false, ct);
    }

    /// <summary>The same login on another node, host:port. It is closed with this one.</summary>
    public HttpExchange At(string node) => node == _options.Name
        ? this
        : _others.GetOrAdd(node, n => new Lazy<HttpExchange>(() => new HttpExchange(_options with { Url = new Uri($"{_options.Url.Scheme}://{n}") }, _handler))).Value;

    public void Dispose()
    {
        _client.Dispose();
        foreach (var other in _others.Values)
        {
            other.Value.Dispose();
        }
    }

    private async Task<Answer> SendAsync(HttpRequestMessage request, Statement statement, Func<bool> wasSent, CancellationToken ct)
    {
        var failures = new Failures(_options, statement, wasSent);
        var patience = new Patience(statement.Options.Timeout ?? _options.QueryTimeout, statement.IsStream, ct);
        HttpResponseMessage? response = null;
        try
        {
            response = await _client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, patience.Token);
            var body = await response.Content.ReadAsStreamAsync(patience.Token);
            var answer = new Answer(response, body, failures, patience);
            if (!response.IsSuccessStatusCode || (request.Method == HttpMethod.Post && !IsClickHouse(response.Headers)))
            {
                throw failures.Refused(response, await answer.ReadErrorAsync());
            }

            return answer;
        }
        catch (Exception e) when (e is HttpRequestException or IOException or OperationCanceledException or ClickHouseException)
        {
            response?.Dispose();
            patience.Dispose();
            if (e is ClickHouseException)
            {
                throw;
            }

            ct.ThrowIfCancellationRequested();
            throw failures.NoAnswer(e, patience.Limit);
        }
    }

    // Without this, any web server that says 200 to a POST would seem to have run the statement.
    private static bool IsClickHouse(HttpResponseHeaders headers)
        => headers.Any(h => h.Key.StartsWith("X-ClickHouse-", StringComparison.OrdinalIgnoreCase));

    /// <summary>Connects so that a peer which vanishes without a word is noticed within two minutes, while a statement of days is waited for.</summary>
    private static async ValueTask<Stream> ConnectAsync(SocketsHttpConnectionContext context, CancellationToken ct)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            socket.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.KeepAlive, true);
            socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveTime, 60);
            socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveInterval, 10);
            socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveRetryCount, 6);
            await socket.ConnectAsync(context.DnsEndPoint, ct);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    private static SocketsHttpHandler CreateHandler(ClickHouseOptions options)
    {
        var handler = new SocketsHttpHandler
        {
            ConnectTimeout = options.ConnectTimeout,
            ConnectCallback = ConnectAsync,
            // A server closes idle connections after 3 s or more (old ones), and a POST that meets a closing connection is lost
            // with an unknown outcome: so ours are given up first.
            PooledConnectionIdleTimeout = TimeSpan.FromSeconds(2),
            AllowAutoRedirect = false, // would carry the password to another host
            UseCookies = false,
            UseProxy = false,
            RequestHeaderEncodingSelector = (_, _) => Encoding.UTF8,
        };
        if (options.CaCertificateFile is { } file)
        {
            var trusted = new X509ChainPolicy
            {
                TrustMode = X509ChainTrustMode.CustomRootTrust,
                RevocationMode = X509RevocationMode.NoCheck, // private authorities seldom publish lists
            };
            trusted.CustomTrustStore.ImportFromPemFile(file);
            handler.SslOptions = new SslClientAuthenticationOptions
            {
                CertificateChainPolicy = trusted,
                EnabledSslProtocols = SslProtocols.None, // the system's choice
            };
        }

        return handler;
    }
}
