using System.Text;

namespace Godwit.Testing;

/// <summary>The server as one process sees it. Each statement that changes something is a moment when it has run.</summary>
/// <param name="sockets">What leads to the server; stays the lab's.</param>
/// <param name="life">The process.</param>
/// <param name="forgotten">The id of a statement of which the server's log holds a beginning without an end; null for none.</param>
internal sealed class WatchedServer(HttpMessageHandler sockets, ProcessLife life, string? forgotten) : HttpMessageHandler
{
    private readonly HttpMessageInvoker _server = new(sockets, disposeHandler: false);
    private readonly Lock _gate = new();
    private readonly StringBuilder _lookups = new();

    /// <summary>Whether the process has looked a statement up in the server's log.</summary>
    public bool HasLookedUp(string queryId)
    {
        lock (_gate)
        {
            return _lookups.ToString().Contains(queryId, StringComparison.Ordinal);
        }
    }

    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        await life.RequireAliveAsync();
        var statement = SentStatement.Of(request);
        if (statement?.Sql.Contains("system.query_log", StringComparison.Ordinal) == true)
        {
            LookUp(request, statement.Sql);
        }

        HttpResponseMessage? response = null;
        try
        {
            response = await _server.SendAsync(request, cancellationToken);
        }
        finally
        {
            await life.RequireAliveAsync();
        }

        if (statement?.Changes == true && response.IsSuccessStatusCode && !await life.HasRunAsync(statement))
        {
            response.Dispose();
            throw new HttpRequestException(HttpRequestError.ResponseEnded, "the answer was lost, says the lab");
        }

        return response;
    }

    protected override void Dispose(bool disposing)
    {
        _server.Dispose();
        base.Dispose(disposing);
    }

    private void LookUp(HttpRequestMessage request, string sql)
    {
        lock (_gate)
        {
            _lookups.AppendLine(sql);
        }

        if (forgotten is not null && sql.Contains(forgotten, StringComparison.Ordinal))
        {
            // 1 is QueryStart: the server died before the end was written to its log.
            request.Content = new StringContent("SELECT toInt8(1) AS kind");
        }
    }
}
