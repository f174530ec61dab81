namespace Godwit.IntegrationTests.Kafka;

/// <summary>Does something right after the server has done the first statement that begins so.</summary>
internal sealed class Meddler(string beginning, Func<Task> meanwhileAsync) : DelegatingHandler(new SocketsHttpHandler())
{
    private bool _isDone;

    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        var sql = request.Content is { } content ? await content.ReadAsStringAsync(cancellationToken) : "";
        var response = await base.SendAsync(request, cancellationToken);
        if (!_isDone && sql.StartsWith(beginning, StringComparison.Ordinal))
        {
            _isDone = true;
            await meanwhileAsync();
        }

        return response;
    }
}
