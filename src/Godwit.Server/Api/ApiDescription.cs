using System.Text.Json.Nodes;
using Godwit.ClickHouse;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Metadata;
using Microsoft.AspNetCore.OpenApi;
using Microsoft.AspNetCore.Routing;
using Microsoft.OpenApi;

namespace Godwit.Server.Api;

/// <summary>What the OpenAPI document says besides what the handlers say themselves.</summary>
internal static class ApiDescription
{
    private const string Scheme = "token";

    /// <summary>Sets it up.</summary>
    public static void Configure(OpenApiOptions options)
    {
        options.AddDocumentTransformer(Describe);
        options.AddOperationTransformer(Describe);
        options.AddSchemaTransformer(Describe);
    }

    /// <summary>Says how a call may be refused; the bodies of all of those are alike.</summary>
    public static void AddRefusals(EndpointBuilder endpoint, ApiCall call)
    {
        List<int> refusals = [StatusCodes.Status400BadRequest, StatusCodes.Status401Unauthorized, StatusCodes.Status500InternalServerError, StatusCodes.Status502BadGateway, StatusCodes.Status503ServiceUnavailable];
        void Add(bool isSo, params int[] statuses) => refusals.AddRange(isSo ? statuses : []);
        Add(endpoint.Metadata.OfType<IAuthorizeData>().Any(), StatusCodes.Status403Forbidden);
        Add(((RouteEndpointBuilder)endpoint).RoutePattern.Parameters.Count > 0, StatusCodes.Status404NotFound);
        Add(call.IsChange, StatusCodes.Status409Conflict, StatusCodes.Status422UnprocessableEntity);
        Add(call.HasBody, StatusCodes.Status413PayloadTooLarge, StatusCodes.Status415UnsupportedMediaType);
        foreach (var status in refusals.Order())
        {
            endpoint.Metadata.Add(new ProducesResponseTypeMetadata(status, typeof(Problem), [Problem.ContentType]));
        }
    }

    private static Task Describe(OpenApiDocument document, OpenApiDocumentTransformerContext context, CancellationToken ct)
    {
        document.Info = new OpenApiInfo
        {
            Title = "Godwit",
            Version = "1",
            Description = "Long data migrations on ClickHouse without stopping the product that writes to it: what the `godwit` command does, for programs. The guide is docs/api.md.",
        };

        // Not where this one happens to listen.
        document.Servers = [new OpenApiServer { Url = "/" }];
        document.Components ??= new OpenApiComponents();
        document.Components.SecuritySchemes = new Dictionary<string, IOpenApiSecurityScheme>(StringComparer.Ordinal)
        {
            [Scheme] = new OpenApiSecurityScheme { Type = SecuritySchemeType.Http, Scheme = "bearer", BearerFormat = "godwit_…", Description = "A token; people make them on a page of the server, admins also with `POST /api/v1/tokens`." },
        };
        document.Security = [new OpenApiSecurityRequirement { [new OpenApiSecuritySchemeReference(Scheme, document)] = [] }];
        return Task.CompletedTask;
    }

    private static Task Describe(OpenApiOperation operation, OpenApiOperationTransformerContext context, CancellationToken ct)
    {
        var metadata = context.Description.ActionDescriptor.EndpointMetadata;
        var role = metadata.OfType<IAuthorizeData>().Select(a => a.Policy).LastOrDefault();
        operation.Description = string.Join("\n\n", new[] { operation.Description, role is null ? "Takes any role." : $"Takes the role {role}." }.Where(t => !string.IsNullOrEmpty(t)));
        if (metadata.OfType<ApiCall>().Single().IsChange)
        {
            (operation.Parameters ??= []).Add(new OpenApiParameter
            {
                Name = Idempotency.Header,
                In = ParameterLocation.Header,
                Required = true,
                Description = "Something of the caller's own, such as a UUID. The same request with the same key is done once; its answer is kept for a day.",
                Schema = new OpenApiSchema { Type = JsonSchemaType.String, MinLength = 1, MaxLength = 200 },
            });
        }

        if (ApiExamples.Of(operation.OperationId) is { } example && operation.RequestBody?.Content is { } content)
        {
            content[StrictJson.ContentType].Example = JsonNode.Parse(example);
        }

        return Task.CompletedTask;
    }

    // What has a way of its own to be written is not known to the framework.
    private static Task Describe(OpenApiSchema schema, OpenApiSchemaTransformerContext context, CancellationToken ct)
    {
        var type = Nullable.GetUnderlyingType(context.JsonTypeInfo.Type) ?? context.JsonTypeInfo.Type;
        if (type == typeof(TimeSpan))
        {
            (schema.Type, schema.Format, schema.Pattern) = (type == context.JsonTypeInfo.Type ? JsonSchemaType.String : JsonSchemaType.String | JsonSchemaType.Null, "duration", null);
        }
        else if (type.IsEnum)
        {
            schema.Type ??= JsonSchemaType.String;
        }
        else if (type == typeof(QualifiedName))
        {
            (schema.Type, schema.Description) = (JsonSchemaType.String, "A table, `db.table`; a part with a dot or another special character stands in double quotes or backticks.");
        }

        return Task.CompletedTask;
    }
}
