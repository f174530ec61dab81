using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Security.Authentication;

namespace Godwit.ClickHouse;

/// <summary>Makes the exceptions of one statement: sentences with the node's name and without secrets.</summary>
internal sealed class Failures(ClickHouseOptions options, Statement statement, Func<bool> wasSent)
{
    private string Node => options.Name;

    /// <summary>A status code that is not 200, or a 200 that is not ClickHouse's.</summary>
    public ClickHouseException Refused(HttpResponseMessage response, string body)
    {
        var error = ServerError.Parse(body, HeaderCode(response.Headers));
        if (error is not null)
        {
            return FromServer(error);
        }

        if (response.StatusCode is HttpStatusCode.Unauthorized or HttpStatusCode.Forbidden)
        {
            return FromServer(new ServerError(ClickHouseErrorCodes.AuthenticationFailed, "", ""));
        }

        var status = (int)response.StatusCode;
        var start = Clean(body.Length > 300 ? body[..300] + "…" : body).ReplaceLineEndings(" ").Trim();
        var message = $"{Node} answered with HTTP {status}, but not as a ClickHouse server does: check the address. It said: {start}";

        // A proxy that lost the server behind it: the statement may be running there.
        return status is 502 or 503 or 504
            ? new ClickHouseUnreachableException(message)
            {
                MayHaveRun = wasSent(),
                IsTransient = true,
                Node = Node,
                QueryId = statement.Options.QueryId,
                ServerMessage = start,
            }
            : new ClickHouseException(message) { Node = Node, QueryId = statement.Options.QueryId, ServerMessage = start };
    }

    /// <summary>An error in the server's words.</summary>
    public ClickHouseException FromServer(ServerError error)
    {
        var said = Clean(error.Message);
        var name = error.Name.Length > 0 ? error.Name : ClickHouseErrorCodes.NameOf(error.Code) ?? "";
        var message = ClickHouseErrorCodes.IsLoginRefusal(error.Code)
            ? $"User {options.User} was refused by {Node}: check --user and the password (code {error.Code})."
            : $"{Node}: {said} ({(name.Length > 0 ? name + ", " : "")}code {error.Code})";
        return new ClickHouseException(Clean(message))
        {
            Code = error.Code,
            CodeName = name,
            ServerMessage = said,
            QueryId = statement.Options.QueryId,
            IsTransient = ClickHouseErrorCodes.IsTransient(error.Code),
            Node = Node,
        };
    }

    /// <summary>No status code came: not connected, or lost after sending.</summary>
    public ClickHouseUnreachableException NoAnswer(Exception cause, TimeSpan limit)
    {
        var certificate = cause is HttpRequestException { HttpRequestError: HttpRequestError.SecureConnectionError };
        var sent = wasSent();
        var what = cause switch
        {
            _ when certificate => SecureConnection(cause),
            HttpRequestException { HttpRequestError: HttpRequestError.NameResolutionError } =>
                $"The host of {Node} is not known: check the address",
            OperationCanceledException { InnerException: TimeoutException } when !sent =>
                $"{Node} did not take the connection within {Readable(options.ConnectTimeout)}",
            OperationCanceledException => $"{Node} did not answer within {Readable(limit)}",
            _ when !sent => $"{Node} cannot be reached: {Clean(Innermost(cause))}",
            _ => $"The connection to {Node} was lost before its answer: {Clean(Innermost(cause))}",
        };
        return Unreachable(what, cause, sent, transient: !certificate);
    }

    /// <summary>The answer began and did not end.</summary>
    public ClickHouseUnreachableException BrokenOff(Exception cause)
        => Unreachable($"The answer of {Node} broke off in the middle: {Clean(Innermost(cause))}", cause, wasSent(), transient: true);

    /// <summary>An answer that is not what its format promises.</summary>
    public ClickHouseException Malformed(string problem)
        => new($"The answer of {Node} cannot be read: {Clean(problem)}") { Node = Node, QueryId = statement.Options.QueryId };

    private ClickHouseUnreachableException Unreachable(string what, Exception cause, bool sent, bool transient)
        => new(what + (sent ? ". The statement was sent and may have run, or still be running." : "."), cause)
        {
            MayHaveRun = sent,
            IsTransient = transient,
            Node = Node,
            QueryId = statement.Options.QueryId,
        };

    private string SecureConnection(Exception cause)
    {
        if (cause.InnerException is not AuthenticationException)
        {
            return $"{Node} does not speak TLS, or broke it off: check whether its URL should begin with http ({Clean(Innermost(cause))})";
        }

        return $"The certificate of {Node} was not accepted ({Clean(Innermost(cause)).TrimEnd('.')}): "
            + (options.CaCertificateFile is { } file
                ? $"the CA certificate file {file} does not vouch for it under that host name"
                : "if it is the right server, give the CA certificate file that vouches for it");
    }

    private string Clean(string text) => SecretMask.Apply(text, options.Password, statement.Sql);

    private static string Readable(TimeSpan time) => time.TotalSeconds >= 1
        ? string.Create(CultureInfo.InvariantCulture, $"{time.TotalSeconds:0.#} s")
        : string.Create(CultureInfo.InvariantCulture, $"{time.TotalMilliseconds:0} ms");

    private static string Innermost(Exception e) => e.GetBaseException().Message;

    private static int? HeaderCode(HttpResponseHeaders headers)
        => headers.TryGetValues("X-ClickHouse-Exception-Code", out var values)
            && int.TryParse(values.FirstOrDefault(), NumberStyles.None, CultureInfo.InvariantCulture, out var code)
            ? code
            : null;
}
