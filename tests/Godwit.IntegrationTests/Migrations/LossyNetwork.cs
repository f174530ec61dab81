namespace Godwit.IntegrationTests.Migrations;

/// <summary>Loses the answer to the first statement that is meant, once the server has done it.</summary>
/// <param name="isMeant">Tells such a statement by its text.</param>
/// <param name="meanwhileAsync">Done between the statement and the loss.</param>
internal sealed class LossyNetwork(Func<string, bool> isMeant, Func<Task> meanwhileAsync) : DelegatingHandler(new SocketsHttpHandler())
{
    /// <summary>How often such a statement has been sent.</summary>
    public int Sent { get; private set; }

    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        var sql = request.Content is { } content ? await content.ReadAsStringAsync(cancellationToken) : "";
        var response = await base.SendAsync(request, cancellationToken);
        if (isMeant(sql) && ++Sent == 1)
        {
            response.Dispose();
            await meanwhileAsync();
            throw new HttpRequestException(HttpRequestError.ResponseEnded, "The answer was lost, says the test.");
        }

        return response;
    }
}
