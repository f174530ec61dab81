using System.Net;

namespace Godwit.IntegrationTests.Kafka;

/// <summary>Refuses statements that begin so, as a server does of which a right is missing.</summary>
internal sealed class Refuser(string beginning) : DelegatingHandler(new SocketsHttpHandler())
{
    public bool IsMended { get; set; }

    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        var sql = request.Content is { } content ? await content.ReadAsStringAsync(cancellationToken) : "";
        if (IsMended || !sql.StartsWith(beginning, StringComparison.Ordinal))
        {
            return await base.SendAsync(request, cancellationToken);
        }

        return new HttpResponseMessage(HttpStatusCode.Forbidden)
        {
            Headers = { { "X-ClickHouse-Exception-Code", "497" } },
            Content = new StringContent("Code: 497. DB::Exception: Not enough privileges. (ACCESS_DENIED)"),
            RequestMessage = request,
        };
    }
}
