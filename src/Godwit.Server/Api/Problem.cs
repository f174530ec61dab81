using System.Text.Json.Serialization;
using Godwit.Checks;
using Godwit.ClickHouse;
using Godwit.Metadata;
using Godwit.Plans;
using Godwit.Runs;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.WebUtilities;

namespace Godwit.Server.Api;

/// <summary>Why something was not done, as RFC 9457 says it.</summary>
public sealed record Problem
{
    /// <summary>How it is sent.</summary>
    internal const string ContentType = "application/problem+json";

    /// <summary>Always <c>about:blank</c>: the status says which kind it is.</summary>
    public string Type { get; init; } = "about:blank";

    /// <summary>The status in words.</summary>
    public required string Title { get; init; }

    /// <summary>The status.</summary>
    public required int Status { get; init; }

    /// <summary>What is wrong and what to do, as the command line says it.</summary>
    public required string Detail { get; init; }

    /// <summary>Everything that is wrong, one sentence each.</summary>
    public required IReadOnlyList<string> Problems { get; init; }

    /// <summary>What the checks found, when it was checks that refused.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyList<CheckResult>? Checks { get; init; }

    /// <summary>By which the server's log knows the request; only of what nobody foresaw.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? TraceId { get; init; }

    /// <summary>A status with its sentences.</summary>
    internal static Problem Of(int status, params IReadOnlyList<string> problems) =>
        new() { Status = status, Title = ReasonPhrases.GetReasonPhrase(status), Detail = string.Join(' ', problems), Problems = problems };

    /// <summary>What an exception means to a caller; null when nobody foresaw it.</summary>
    internal static Problem? Of(Exception exception) => exception switch
    {
        InvalidRequestException e => Of(StatusCodes.Status400BadRequest, e.Problems),
        NotAllowedException => Of(StatusCodes.Status403Forbidden, exception.Message),
        BadHttpRequestException e => Of(e.StatusCode, Sentence(e)),
        NothingThereException or RunNotFoundException => Of(StatusCodes.Status404NotFound, exception.Message),
        RefusedException e => Of(StatusCodes.Status409Conflict, [.. e.Results.Where(r => r.Blocks).Select(r => r.Message)]) with { Checks = e.Results },
        WrongStateException or RunConflictException or LeaseHeldException or LeaseLostException => Of(StatusCodes.Status409Conflict, exception.Message),
        KeyTakenException => Of(StatusCodes.Status422UnprocessableEntity, exception.Message),
        StoreException or StoredFormatException or ClickHouseUnreachableException => Of(StatusCodes.Status503ServiceUnavailable, exception.Message),
        ClickHouseException or ClusterException => Of(StatusCodes.Status502BadGateway, exception.Message),
        _ => null,
    };

    /// <summary>What nobody foresaw: the log knows more.</summary>
    internal static Problem Defect(HttpContext http)
    {
        var trace = FailureLog.TraceOf(http);
        return Of(StatusCodes.Status500InternalServerError, $"Godwit met an error that it does not know. Your runs are kept. The server's log holds it under {trace}; please report it.") with { TraceId = trace };
    }

    /// <summary>As an answer.</summary>
    internal IResult ToResult() => TypedResults.Json(this, contentType: ContentType, statusCode: Status);

    private static string Sentence(BadHttpRequestException exception) => exception.StatusCode switch
    {
        StatusCodes.Status413PayloadTooLarge => $"The body has more than {Listener.LargestBody} bytes.",
        StatusCodes.Status408RequestTimeout => "The body came too slowly.",
        _ => exception.Message,
    };
}

/// <summary>What a path names is not there.</summary>
internal sealed class NothingThereException(string sentence) : Exception(sentence);

/// <summary>The caller may make this call, but not like this.</summary>
internal sealed class NotAllowedException(string sentence) : Exception(sentence);

/// <summary>A key came with another request before.</summary>
internal sealed class KeyTakenException(string sentence) : Exception(sentence);
